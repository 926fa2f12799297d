/**
 * Every method, on every shape of a path, by every role, over HTTP/2, HTTP/1.1 and as an upgrade: nothing is
 * served and nothing happens without the right to it, as Kubernetes' rules give it (reading.ts, rights.ts).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExplorer, type Explorer } from './explore.ts';
import { administrator, roles } from './roles.ts';
import { ways } from './ways.ts';

/** What the failures of one role show of themselves. */
const shownFindings = 40;

let explorer: Explorer;
let requests = 0;
const successes = new Map<string, number>();

beforeAll(async () => {
  explorer = await createExplorer();
});
afterAll(() => explorer.close());

describe.each(ways)('$name', way => {
  test.each(roles)(
    '$name gets what it may, and nothing else',
    async role => {
      const found = await explorer.explore(role, way);
      requests += found.requests;
      successes.set(role.name, (successes.get(role.name) ?? 0) + found.successes);
      const { findings } = found;
      expect(findings.slice(0, shownFindings), `${findings.length} findings`).toEqual([]);
    },
    300_000,
  );
});

test('it was much that was tried, and each role got something', () => {
  expect(requests).toBeGreaterThan(20_000);
  for (const role of roles) {
    const expected = role.refused === true ? 0 : 1;
    expect(Math.min(successes.get(role.name) ?? 0, 1), role.name).toBe(expected);
  }
  expect(successes.get(administrator.name)).toBeGreaterThan(1000);
});
