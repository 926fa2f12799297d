import { describe, expect, test } from 'vitest';
import { goJsonError } from './go-json.ts';

describe('goJsonError()', () => {
  test.each([
    ['', 'unexpected end of JSON input'],
    ['  ', 'unexpected end of JSON input'],
    ['{"a":1', 'unexpected end of JSON input'],
    ['{"a', 'unexpected end of JSON input'],
    ['[1,', 'unexpected end of JSON input'],
    ['tru', 'unexpected end of JSON input'],
    ['-', 'unexpected end of JSON input'],
    ['1e', 'unexpected end of JSON input'],
    ['"\\u12', 'unexpected end of JSON input'],
    ['hello', "invalid character 'h' looking for beginning of value"],
    ['{bad', "invalid character 'b' looking for beginning of object key string"],
    ["{'a':1}", `invalid character '\\'' looking for beginning of object key string`],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['{"a":tru}', "invalid character '}' in literal true (expecting 'e')"],
    ['nul!', "invalid character '!' in literal null (expecting 'l')"],
    ['{"a":01}', "invalid character '1' after object key:value pair"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1e+x', "invalid character 'x' in exponent of numeric literal"],
    ['"\\q"', "invalid character 'q' in string escape code"],
    ['"\\u12x4"', "invalid character 'x' in \\u hexadecimal character escape"],
    ['"a\tb"', "invalid character '\\t' in string literal"],
    ['"a\u0000b"', "invalid character '\\x00' in string literal"],
    ['\ufeff{}', "invalid character 'ï' looking for beginning of value"],
    ['['.repeat(10_001), 'exceeded max depth'],
  ])('%j: %s', (text, message) => {
    expect(goJsonError(Buffer.from(text))).toBe(message);
  });

  test.each(['null', ' {} ', '[]', '[[],{}]', '{"a":[1,-0.5e+3,"x\\n\\u00e4",true,false,null]}'])(
    '%s has no fault',
    text => {
      expect(goJsonError(Buffer.from(text))).toBeUndefined();
    },
  );
});
