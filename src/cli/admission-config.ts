import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseYaml } from '../machinery/decode/yaml.ts';
import {
  ConfigurationError,
  readConfiguration,
  type PodSecurityConfiguration,
} from '../server/admission/pod-security/configuration.ts';

const pluginName = 'PodSecurity';
const wrapperVersion = 'apiserver.config.k8s.io/v1';

/**
 * Reads kube-apiserver's `--admission-control-config-file`: a PodSecurityConfiguration, alone or as the
 * plugin PodSecurity of an AdmissionConfiguration, in that file or in one that it names.
 * @throws Error that says what is wrong with which file
 */
export function readAdmissionConfig(file: string): PodSecurityConfiguration {
  const value = readDocument(file);
  if (!isRecord(value) || value['kind'] !== 'AdmissionConfiguration')
    return fromFile(file, () => readConfiguration(value));
  const plugin = fromFile(file, () => pluginOf(value));
  if (plugin.configuration !== undefined)
    return fromFile(file, () => readConfiguration(plugin.configuration));
  const other = path.resolve(path.dirname(file), plugin.path);
  const nested = readDocument(other);
  return fromFile(other, () => readConfiguration(nested));
}

interface Plugin {
  readonly path: string;
  readonly configuration: unknown;
}

function pluginOf({ apiVersion, plugins, ...rest }: Record<string, unknown>): Plugin {
  const fail = (message: string): never => {
    throw new ConfigurationError(message);
  };
  if (apiVersion !== wrapperVersion)
    return fail(`apiVersion: ${show(apiVersion)}: expected "${wrapperVersion}"`);
  const [unknown] = Object.keys(rest).filter(each => each !== 'kind');
  if (unknown !== undefined) return fail(`unknown field "${unknown}"`);
  if (!Array.isArray(plugins) || plugins.length !== 1)
    return fail(`plugins: expected exactly one, "${pluginName}"`);
  const [plugin] = plugins as unknown[];
  if (!isRecord(plugin) || plugin['name'] !== pluginName) {
    const name = isRecord(plugin) ? plugin['name'] : plugin;
    return fail(
      `plugins[0].name: Unsupported value: ${show(name)}: supported values: "${pluginName}"`,
    );
  }
  const { path: otherFile = '', configuration } = plugin;
  if (typeof otherFile !== 'string') return fail('plugins[0].path: expected the path of a file');
  if ((otherFile === '') === (configuration === undefined))
    return fail('plugins[0]: expected either path or configuration');
  return { path: otherFile, configuration };
}

function readDocument(file: string): unknown {
  const documents = fromFile(file, () => parseYaml(readFileSync(file, 'utf8')));
  if (documents.length !== 1) throw new Error(`${file}: expected one document`);
  return documents[0]?.value;
}

function fromFile<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

const show = (value: unknown): string => JSON.stringify(value) ?? 'nothing';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
