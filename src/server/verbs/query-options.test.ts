import { expect, test } from 'vitest';
import { secretResource } from '../../api/core/v1/secret.ts';
import { parseFieldSelector } from '../../machinery/selectors/field-selector.ts';
import type { ResourceOperation } from '../operation/operation.ts';
import { selectionOf } from './query-options.ts';

const select = (query: string, namespace = '') => {
  const parsed = new URLSearchParams(query);
  return selectionOf({
    entry: { descriptor: secretResource },
    query: parsed,
    namespace,
    fieldSelector: parseFieldSelector(parsed.get('fieldSelector') ?? ''),
  } as unknown as ResourceOperation);
};
const secret = (name: string, labels = {}, namespace = 'team') => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace, labels },
});

test('those who select the same share one filter', () => {
  const query = 'labelSelector=a%3Db&fieldSelector=type%3DOpaque';
  expect(select(query).filter).toBe(select(query, 'team').filter);
  expect(select(query).filter).not.toBe(select('labelSelector=a%3Dc').filter);
  expect(select('labelSelector=a%3Db').filter?.(secret('s', { a: 'b' }))).toBe(true);
  expect(select('labelSelector=a%3Db').filter?.(secret('s', { a: 'c' }))).toBe(false);
});

test('one object is a place, and needs no filter', () => {
  const named = 'fieldSelector=metadata.name%3Ds';
  expect(select(named, 'team')).toEqual({ name: 's', namespace: 'team' });
  expect(select(`${named},metadata.namespace%3Dteam`)).toEqual({ name: 's', namespace: 'team' });
  // Over all namespaces, objects of that name have to be looked for.
  expect(select(named).filter?.(secret('s'))).toBe(true);
  expect(select(named).filter?.(secret('t'))).toBe(false);
});

test('what contradicts the place selects nothing', () => {
  const { filter } = select('fieldSelector=metadata.name%3Ds,metadata.name%3Dt', 'team');
  expect([filter?.(secret('s')), filter?.(secret('t'))]).toEqual([false, true]);
  const elsewhere = select('fieldSelector=metadata.namespace%3Dother', 'team');
  expect(elsewhere.namespace).toBe('team');
  expect(elsewhere.filter?.(secret('s'))).toBe(false);
});
