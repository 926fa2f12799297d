import { expect, test } from 'vitest';
import { expand, namesIn } from './expand.ts';

const values: Record<string, string> = { A: 'a', B: '$(A)', EMPTY: '', 'my.name': 'dotted' };

test.each([
  ['plain', 'plain'],
  ['$(A)', 'a'],
  ['x$(A)y$(A)z', 'xayaz'],
  ['$$(A)', '$(A)'],
  ['$$$(A)', '$a'],
  ['$$$$(A)', '$$(A)'],
  ['$(B)', '$(A)'],
  ['$(EMPTY)', ''],
  ['$(my.name)', 'dotted'],
  ['$(NONE)', '$(NONE)'],
  ['$(A', '$(A'],
  ['$A', '$A'],
  ['cost: 5$', 'cost: 5$'],
  ['$()', '$()'],
  ['$(A$(B)', '$(A$(B)'],
])('expand() makes of %j %j', (text, expected) => {
  expect(expand(text, name => values[name])).toBe(expected);
});

test('namesIn() finds what is referred to, not what is escaped', () => {
  expect(namesIn('$(A)/$$(B)/$(C)')).toEqual(['A', 'C']);
});
