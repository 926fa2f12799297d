import path from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { memberOf, setMember } from './member.ts';

const traps = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

describe.each(traps)('%s', name => {
  test('is no member until it is set', () => {
    expect(memberOf({ a: 1 }, name)).toBeUndefined();
  });

  test('is a member like any other once it is set', () => {
    const object = {};
    setMember(object, name, 'x');
    expect(memberOf(object, name)).toBe('x');
    expect(Object.entries(object)).toEqual([[name, 'x']]);
    expect(memberOf({}, name)).toBeUndefined();
  });
});

test.each([undefined, null, 'text', 5])('%j has no members', value => {
  expect(memberOf(value as unknown, 'length')).toBeUndefined();
});

/*
 * A table that is looked up by any text answers `constructor` and `__proto__` too, from the
 * prototype, and an assignment to `__proto__` replaces it. Tables are Maps; objects whose names come
 * from outside are read by memberOf() and written by setMember().
 */

/** The places that are safe for another reason: by file and text. */
const exceptions: readonly (readonly [file: string, text: string, why: string])[] = [
  ['machinery/member.ts', '(object as Record<string, unknown>)[name]', 'looks for an own member'],
  ['machinery/encode-yaml.ts', 'fields[name]', 'name is one of its keys'],
  ['machinery/decode/structure.ts', 'value[name]', 'name is one of its keys'],
  ['machinery/decode/structure.ts', 'kept[name]', 'name is a field of the schema'],
  ['machinery/decode/protobuf.ts', 'value[name]', 'name is a field of the schema'],
  ['machinery/decode/protobuf.ts', 'into[name]', 'name is a field of the schema'],
  ['node/runtime/cri/grpc.ts', 'client[of]', 'methods are named by the callers'],
  ['server/openapi/documents.ts', 'paths[base]', 'paths of our own resources'],
  ['server/openapi/documents.ts', 'paths[`${base}/{name}`]', 'paths of our own resources'],
];

interface OpenLookup {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/** Every `object[text]` and `text in object` where the text may be any: not a literal or a union of them. */
function openLookups(program: ts.Program, files: ReadonlySet<string>): OpenLookup[] {
  const checker = program.getTypeChecker();
  const isOpen = (type: ts.Type): boolean => {
    if (type.isUnion()) return type.types.some(isOpen);
    const constraint = type.isTypeParameter() ? checker.getBaseConstraintOfType(type) : undefined;
    if (constraint !== undefined) return isOpen(constraint);
    const { Any, Unknown, String, TemplateLiteral, StringMapping, TypeParameter } = ts.TypeFlags;
    return (
      (type.flags & (Any | Unknown | String | TemplateLiteral | StringMapping | TypeParameter)) !==
      0
    );
  };
  const keyOf = (node: ts.Node): ts.Expression | undefined => {
    if (ts.isElementAccessExpression(node))
      return ts.isDeleteExpression(node.parent) ? undefined : node.argumentExpression;
    return ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.InKeyword
      ? node.left
      : undefined;
  };
  const found: OpenLookup[] = [];
  for (const source of program.getSourceFiles().filter(each => files.has(each.fileName))) {
    const visit = (node: ts.Node): void => {
      const key = keyOf(node);
      if (key !== undefined && isOpen(checker.getTypeAtLocation(key))) {
        const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
        found.push({ file: source.fileName, line, text: node.getText() });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

describe('the check for look-ups that reach the prototype', () => {
  const lookupsIn = (text: string): string[] => {
    const file = '/example.ts';
    const options: ts.CompilerOptions = { strict: true, target: ts.ScriptTarget.ES2023 };
    const host = ts.createCompilerHost(options);
    const { fileExists, getSourceFile } = host;
    host.fileExists = name => name === file || fileExists(name);
    host.getSourceFile = (name, version) =>
      name === file
        ? ts.createSourceFile(name, text, version, true)
        : getSourceFile.call(host, name, version);
    return openLookups(ts.createProgram([file], options, host), new Set([file])).map(
      each => each.text,
    );
  };

  test('finds reads and writes by a name that may be any, and nothing else', () => {
    expect(
      lookupsIn(`
        declare const text: string, known: 'a' | 'b', list: string[], table: Record<string, () => void>;
        table[text]?.();
        table[\`\${text}/x\`] = () => undefined;
        export const found = text in table;
        table['a']?.(); table[known]?.(); list[0]; delete table[text];
        new Map<string, number>().get(text);
        export const generic = <K extends string>(key: K) => table[key];
      `),
    ).toEqual(['table[text]', 'table[`${text}/x`]', 'text in table', 'table[key]']);
  });

  test('finds none in src, but for the exceptions above', () => {
    const root = path.resolve(import.meta.dirname, '../..');
    const config = ts.readConfigFile(path.join(root, 'tsconfig.json'), file =>
      ts.sys.readFile(file),
    );
    const { fileNames, options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
    const folder = path.join(root, 'src/');
    const files = fileNames.filter(
      each => each.startsWith(folder) && !each.endsWith('.test.ts') && !each.endsWith('.d.ts'),
    );
    expect(files.length).toBeGreaterThan(300);
    const found = openLookups(ts.createProgram(files, options), new Set(files));
    const isException = ({ file, text }: OpenLookup): boolean =>
      exceptions.some(([where, what]) => file === `${folder}${where}` && text === what);
    expect(
      found
        .filter(each => !isException(each))
        .map(({ file, line, text }) => `${path.relative(root, file)}:${line}: ${text}`),
    ).toEqual([]);
  }, 120_000);
});
