import { expect, test } from 'vitest';
import type { KubeObject } from '../machinery/meta.ts';
import type { ListOptions } from './client.ts';
import { listPages } from './list-pages.ts';
import { AnswerTooLargeError } from './transport.ts';

const mebibyte = 1024 * 1024;

/** A server whose objects have these sizes; it cuts answers off as the transport does. */
function serverOf(sizes: readonly number[]) {
  const answers: number[] = [];
  return {
    answers,
    list({ limit = sizes.length, continue: token = '0', maxBytes = Infinity }: ListOptions = {}) {
      const from = Number(token);
      const chosen = sizes.slice(from, from + limit);
      const bytes = chosen.reduce((sum, each) => sum + each, 0);
      answers.push(Math.min(bytes, maxBytes));
      if (bytes > maxBytes) return Promise.reject(new AnswerTooLargeError(maxBytes));
      const next = from + chosen.length;
      return Promise.resolve({
        apiVersion: 'v1',
        kind: 'List',
        metadata: { resourceVersion: '7', ...(next < sizes.length ? { continue: `${next}` } : {}) },
        items: chosen.map((_, i): KubeObject => ({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: `s${from + i}` },
        })),
      });
    },
  };
}

async function namesOf(server: ReturnType<typeof serverOf>): Promise<(string | undefined)[]> {
  const names = [];
  for await (const { items } of listPages(server, {}))
    names.push(...items.map(each => each.metadata.name));
  return names;
}
const expected = (count: number) => Array.from({ length: count }, (_, i) => `s${i}`);

test('small objects come in pages of 500', async () => {
  const server = serverOf(Array.from({ length: 1200 }, () => 1024));
  expect(await namesOf(server)).toEqual(expected(1200));
  expect(server.answers).toHaveLength(3);
});

test('of large objects no answer is larger than 8 MiB, and few are asked for in vain', async () => {
  const server = serverOf(Array.from({ length: 420 }, () => mebibyte));
  expect(await namesOf(server)).toEqual(expected(420));
  expect(Math.max(...server.answers)).toBeLessThanOrEqual(8 * mebibyte);
  const total = server.answers.reduce((sum, each) => sum + each, 0);
  expect(total / mebibyte).toBeLessThan(2 * 420);
});

test('large objects after many small ones do not make a large page either', async () => {
  const sizes = Array.from({ length: 2000 }, (_, i) => (i < 1000 ? 1024 : mebibyte));
  const server = serverOf(sizes);
  expect(await namesOf(server)).toEqual(expected(2000));
  expect(Math.max(...server.answers)).toBeLessThanOrEqual(8 * mebibyte);
});

test('an object that is larger than a page may be is listed by itself', async () => {
  const server = serverOf([1024, 20 * mebibyte, 1024]);
  expect(await namesOf(server)).toEqual(expected(3));
});

test('other errors end the list', async () => {
  const failing = { list: () => Promise.reject(new Error('gone')) };
  await expect(async () => {
    for await (const page of listPages(failing, {})) expect(page).toBeUndefined();
  }).rejects.toThrow('gone');
});
