/**
 * Every method, on every shape of a path, by every role, over HTTP/2, HTTP/1.1 and as an upgrade: nothing is
 * served and nothing happens without the right to it, as Kubernetes' rules give it (reading.ts, rights.ts).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExplorer, type Explorer, type Way } from './explore.ts';
import { administrator, roles, type Role } from './roles.ts';
import { ways } from './ways.ts';

/** What the failures of one role show of themselves. */
const shownFindings = 40;

let explorer: Explorer;
let requests = 0;
/** By way and role. */
const successes = new Map<string, number>();
const successesOf = (way: Way, role: Role): number =>
  successes.get(`${way.name} ${role.name}`) ?? 0;

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
      successes.set(`${way.name} ${role.name}`, found.successes);
      const { findings } = found;
      expect(findings.slice(0, shownFindings), `${findings.length} findings`).toEqual([]);
    },
    300_000,
  );
});

test('much was tried, and everybody got what is his', () => {
  expect(requests).toBeGreaterThan(20_000);
  for (const role of roles) {
    const total = ways.reduce((sum, way) => sum + successesOf(way, role), 0);
    if (role.refused === true) expect(total, role.name).toBe(0);
    else expect(total, role.name).toBeGreaterThan(0);
  }
  for (const way of ways.filter(each => each.succeeds))
    expect(successesOf(way, administrator), way.name).toBeGreaterThan(0);
});
