import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ContainerConfig, ContainerRuntime } from '../container-runtime.ts';
import type { SandboxRuntime } from '../sandbox-runtime.ts';

/**
 * The same runtime, which never learns a Secret's value: containerd keeps a container's configuration in a
 * database on the disk, so that placeholders stand there, and the values lie in memory for `runcWrapper`.
 * @param valuesDir in memory, 0700
 */
export function keepConfidential<R extends ContainerRuntime & SandboxRuntime>(
  runtime: R,
  valuesDir: string,
): R {
  const folderOf = (id: string): string => path.join(valuesDir, path.basename(id));
  const forget = (id: string): Promise<void> => rm(folderOf(id), { recursive: true, force: true });
  return {
    ...runtime,
    async createContainer(sandboxId, config, sandboxConfig) {
      const { sealed, values } = seal(config);
      const id = await runtime.createContainer(sandboxId, sealed, sandboxConfig);
      // It is made, and not yet started: runc has not been asked for it.
      if (values.size > 0) {
        await mkdir(folderOf(id), { mode: 0o700 });
        await writeFile(path.join(folderOf(id), 'out'), backScript(values), { mode: 0o600 });
        await writeFile(path.join(folderOf(id), 'in'), sedScript(values), { mode: 0o600 });
      }
      return id;
    },
    async removeContainer(id) {
      await runtime.removeContainer(id);
      await forget(id);
    },
    async removePodSandbox(id) {
      const containers = await runtime.listContainers({ podSandboxId: id });
      await runtime.removePodSandbox(id);
      await Promise.all(containers.map(each => forget(each.id)));
    },
  };
}

/** Of containers that were removed by who was killed before the values were. */
export async function removeStrayValues(
  runtime: Pick<ContainerRuntime, 'listContainers'>,
  valuesDir: string,
): Promise<void> {
  const ids = new Set((await runtime.listContainers()).map(each => each.id));
  const stray = (await readdir(valuesDir)).filter(name => !ids.has(name));
  await Promise.all(
    stray.map(name => rm(path.join(valuesDir, name), { recursive: true, force: true })),
  );
}

type Values = ReadonlyMap<string, Uint8Array>;

/** @returns the configuration with placeholders, and what they stand for */
function seal(config: ContainerConfig): { sealed: ContainerConfig; values: Values } {
  const { confidential = { envs: [], words: [] }, ...rest } = config;
  const values = new Map<string, Uint8Array>();
  const placeholder = (value: Uint8Array): string => {
    const name = `keylet:secret:${randomBytes(16).toString('hex')}`;
    values.set(name, value);
    return name;
  };
  const word = (text: string): string =>
    confidential.words.includes(text) ? placeholder(Buffer.from(text)) : text;
  const sealed = {
    ...rest,
    ...(rest.command === undefined ? {} : { command: rest.command.map(word) }),
    ...(rest.args === undefined ? {} : { args: rest.args.map(word) }),
    envs: rest.envs.map(({ key, value }) => ({
      key,
      value: confidential.envs.includes(key) ? Buffer.from(placeholder(value)) : value,
    })),
  };
  return { sealed, values };
}

/** Puts each value, as a JSON string has it, where its placeholder is. */
const sedScript = (values: Values): Buffer =>
  Buffer.concat(
    [...values].map(([name, value]) => Buffer.from(`s|${name}|${replacement(value)}|\n`, 'latin1')),
  );

/** In `latin1`, a character a byte: what is no UTF-8 goes its way as it is. */
function replacement(value: Uint8Array): string {
  const bytes = Buffer.from(value).toString('latin1');
  const json = JSON.stringify(bytes).slice(1, -1);
  return json.replaceAll(/[\\&|]/g, String.raw`\$&`);
}

/** A value shorter than this says nothing, and could be a part of any word. */
const minLength = 3;

/** The way back, for what runc writes of its failures: Go's quotes within JSON, which escapes once more. */
function backScript(values: Values): Buffer {
  const once = (text: string): string => JSON.stringify(text).slice(1, -1);
  const lines = [...values]
    .map(([name, value]) => ({ name, text: Buffer.from(value).toString('latin1') }))
    .filter(({ text }) => text.length >= minLength)
    .toSorted((a, b) => b.text.length - a.text.length)
    .flatMap(({ name, text }) =>
      [...new Set([once(once(text)), once(text)])].map(form => `s|${pattern(form)}|${name}|g\n`),
    );
  return Buffer.from(lines.join(''), 'latin1');
}

/** A text as a basic regular expression between bars. */
const pattern = (text: string): string => text.replaceAll(/[\\.*[\]^$|]/g, String.raw`\$&`);
