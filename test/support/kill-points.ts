/*
 * Loaded into a Keylet under test (`node --import`). It sees each step that the process takes on the machine,
 * at the process's own border: calls to the runtime and to the API, what it does to files, the programs it runs.
 * The step that is asked for is the process's last one. Keylet itself knows nothing of it.
 */
import childProcess from 'node:child_process';
import fs from 'node:fs';
import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { syncBuiltinESMExports } from 'node:module';
import { promisify } from 'node:util';

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Functions = Record<string, AnyFunction>;

/** This file has a pattern of `before …`, `during …` or `after …`, and how often; it is read again at SIGUSR2. */
const file = process.env['KEYLET_KILL_POINT'] ?? '';
/** Long enough for the other side to be at work, short enough for it not to be done. */
const duringMs = 5;
let pattern: RegExp | undefined;
let left = 0;

function arm(): void {
  if (!fs.existsSync(file)) return;
  const wanted = JSON.parse(fs.readFileSync(file, 'utf8')) as { step: string; times: number };
  pattern = new RegExp(wanted.step);
  left = wanted.times;
  process.stdout.write(`Kill point ${String(pattern)}\n`);
}

function step(phase: 'before' | 'during' | 'after', name: string): void {
  if (pattern?.test(`${phase} ${name}`) !== true) return;
  left -= 1;
  if (left > 0) return;
  fs.writeSync(1, `Killed ${phase} ${name}\n`);
  process.kill(process.pid, 'SIGKILL');
}

/** Names a call by its arguments that are text. */
const nameOf = (name: string, args: readonly unknown[]): string =>
  [name, ...args.flat().filter(each => typeof each === 'string')].join(' ');

function watch(holder: Functions, names: readonly string[]): void {
  for (const name of names) {
    const original = holder[name];
    if (original === undefined) throw new TypeError(`There is no ${name}`);
    holder[name] = function watched(...args) {
      const what = nameOf(name.replace(/Sync$/, ''), args);
      step('before', what);
      const result = original.apply(this, args);
      if (!(result instanceof Promise)) {
        step('after', what);
        return result;
      }
      return result.then((value: unknown) => {
        step('after', what);
        return value;
      });
    };
  }
}

function watchPrograms(): void {
  const holder = childProcess as unknown as Functions;
  const { execFile, spawn } = childProcess;
  const run = promisify(execFile) as (...args: unknown[]) => Promise<unknown>;
  const watched: AnyFunction = (...args) =>
    (execFile as unknown as (...args: unknown[]) => unknown)(...args);
  holder['execFile'] = Object.assign(watched, {
    [promisify.custom]: async (...args: unknown[]) => {
      step('before', nameOf('run', args));
      const result = await run(...args);
      step('after', nameOf('run', args));
      return result;
    },
  });
  holder['spawn'] = (...args) => {
    step('before', nameOf('run', args));
    const child = (spawn as unknown as (...args: unknown[]) => childProcess.ChildProcess)(...args);
    step('during', nameOf('run', args));
    child.once('close', () => step('after', nameOf('run', args)));
    return child;
  };
}

function watchCalls(): void {
  const holder = http2 as unknown as { connect: (...args: unknown[]) => ClientHttp2Session };
  const connect = holder.connect;
  holder.connect = (...args) => {
    const session = connect(...args);
    const request = session.request.bind(session);
    session.request = (headers, options): ClientHttp2Stream => {
      const { ':method': method, ':path': path } = headers as Record<string, string>;
      const name = `${method} ${path}`;
      step('before', name);
      const stream = request(headers, options);
      const during = setTimeout(() => step('during', name), duringMs).unref();
      stream.once('end', () => {
        clearTimeout(during);
        step('after', name);
      });
      return stream;
    };
    return session;
  };
}

watch(fs as unknown as Functions, [
  'mkdirSync',
  'openSync',
  'renameSync',
  'rmdirSync',
  'rmSync',
  'symlinkSync',
  'unlinkSync',
]);
watch(fs.promises as unknown as Functions, ['chown', 'mkdir', 'open', 'rename', 'rm', 'writeFile']);
watchPrograms();
watchCalls();
syncBuiltinESMExports();
process.on('SIGUSR2', arm);
arm();
