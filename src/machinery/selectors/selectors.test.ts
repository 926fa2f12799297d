import { describe, expect, test } from 'vitest';
import { fieldsMatch, parseFieldSelector } from './field-selector.ts';
import { labelSelectorMatcher, parseLabelSelector } from './label-selector.ts';

const labels = { tier: 'db', env: 'prod', 'example.com/x': '' };

describe('parseLabelSelector()', () => {
  test.each([
    ['', true],
    ['tier=db', true],
    ['tier==db,env=prod', true],
    ['tier!=db', false],
    ['absent!=x', true],
    ['tier in (db, web)', true],
    ['tier notin (db,web)', false],
    ['absent notin (x)', true],
    ['env', true],
    ['!env', false],
    ['!absent, env', true],
    ['example.com/x=', true],
    ['tier = db', true],
  ])('%j matches: %s', (text, result) => {
    expect(parseLabelSelector(text)(labels)).toBe(result);
  });

  test.each([
    ['tier=db env=prod', "found 'env', expected: ',' or 'end of string'"],
    ['tier in db', "found 'db', expected: '('"],
    ['tier in (a', "expected: ',' or ')'"],
    ['a=b,', "expected: identifier after ','"],
    ['bad_/key=x', 'unable to parse requirement: key: Invalid value'],
  ])('refuses %j', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message);
  });
});

test.each([
  [{ matchLabels: { tier: 'db' } }, true],
  [{ matchExpressions: [{ key: 'env', operator: 'In', values: ['dev'] }] }, false],
  [{ matchExpressions: [{ key: 'gone', operator: 'DoesNotExist' }] }, true],
  [{}, true],
])('labelSelectorMatcher(%j): %s', (selector, result) => {
  expect(labelSelectorMatcher(selector)(labels)).toBe(result);
});

describe('parseFieldSelector()', () => {
  test.each([
    ['metadata.name=a', { 'metadata.name': 'a' }, true],
    ['metadata.name!=a', { 'metadata.name': 'a' }, false],
    ['a==b,c!=d', { a: 'b', c: 'x' }, true],
    ['a=with\\,comma', { a: 'with,comma' }, true],
    ['spec.nodeName=', {}, true],
  ])('%j on %j: %s', (text, fields, result) => {
    expect(fieldsMatch(parseFieldSelector(text), fields as Record<string, string>)).toBe(result);
  });

  test('refuses what is no requirement', () => {
    expect(() => parseFieldSelector('name')).toThrow(
      "invalid selector: 'name'; can't understand 'name'",
    );
  });
});

test('a selector of more than 500 conditions is refused', () => {
  const labelsOf = (count: number) => Array.from({ length: count }, (_, i) => `!a${i}`).join();
  const values = Array.from({ length: 501 }, (_, i) => `v${i}`).join();
  const fields = Array.from({ length: 501 }, (_, i) => `a!=${i}`).join();
  expect(parseLabelSelector(labelsOf(500))({})).toBe(true);
  expect(() => parseLabelSelector(labelsOf(501))).toThrow(
    'label selector has 501 requirements and values, the limit is 500: select by fewer',
  );
  expect(() => parseLabelSelector(`a in (${values})`)).toThrow('label selector has 501');
  expect(() => parseFieldSelector(fields)).toThrow('field selector has 501');
});
