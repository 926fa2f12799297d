import { parseAllDocuments, type ScalarTag } from 'yaml';

/**
 * Integers as Kubernetes' YAML reads them: `0400` and `0o400` are octal, `0x1f` hexadecimal,
 * `0b11` binary. The library's own rule reads `0400` as decimal 400: a valid, wrong mode.
 */
const integer: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  identify: value => typeof value === 'number' && Number.isInteger(value),
  test: /^[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$/,
  resolve: text => {
    const digits = text.replaceAll('_', '').replace(/^[-+]/, '').toLowerCase();
    const octal = /^0o?([0-7]+)$/.exec(digits);
    const value = octal === null ? Number(digits) : Number.parseInt(octal[1] ?? '', 8);
    return text.startsWith('-') ? -value : value;
  },
  stringify: ({ value }) => String(value),
};

/** YAML 1.1's words for true and false, which Kubernetes' YAML still reads. */
const boolean: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  identify: value => typeof value === 'boolean',
  test: /^(?:y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE|n|N|no|No|NO|off|Off|OFF|false|False|FALSE)$/,
  resolve: text => /^(?:y|yes|on|true)$/i.test(text),
  stringify: ({ value }) => String(value),
};

/**
 * The documents of a YAML stream as JSON values; empty ones are left out.
 * @throws SyntaxError `error converting YAML to JSON: yaml: …`
 */
export function parseYaml(text: string): unknown[] {
  const documents = parseAllDocuments(text, {
    version: '1.1',
    schema: 'core',
    merge: true,
    uniqueKeys: true,
    customTags: tags => [integer, boolean, ...tags],
  });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap(document => {
    const [error] = document.errors;
    if (error !== undefined) {
      throw new SyntaxError(
        `error converting YAML to JSON: yaml: ${error.message.split('\n')[0] ?? ''}`,
      );
    }
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    return value === null || value === undefined ? [] : [value];
  });
}
