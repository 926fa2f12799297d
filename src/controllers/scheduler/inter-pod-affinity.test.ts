import { countSteps } from '../../../test/support/count-steps.ts';
import { expect, test } from 'vitest';
import type { Node } from '../../api/core/v1/node.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import { affinityProblem, type Neighbour } from './inter-pod-affinity.ts';

const zone = (name: string) => ({ zone: name });
const node = (labels: Record<string, string>): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n', labels },
});
const term = (app: string) => ({ labelSelector: { matchLabels: { app } }, topologyKey: 'zone' });
const pod = (app: string, affinity: object = {}, namespace = 'ns'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: app, namespace, labels: { app } },
  spec: { containers: [{ name: 'c' }], affinity },
});
const near = (...terms: object[]) => ({
  podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
});
const apart = (...terms: object[]) => ({
  podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms },
});
const problem = (wanted: Pod, on: Node, neighbours: Neighbour[]) =>
  affinityProblem(wanted, on, {
    all: () => neighbours,
    withAntiAffinity: () =>
      neighbours.filter(each => 'podAntiAffinity' in Object(each.pod.spec.affinity)),
  });
const inA = (each: Pod): Neighbour => ({ pod: each, nodeLabels: zone('a') });
const noAffinity = "node(s) didn't match pod affinity rules";

test('a pod goes where its neighbours are, in its namespace', () => {
  const web = pod('web', near(term('db')));
  expect(problem(web, node(zone('a')), [inA(pod('db'))])).toBeUndefined();
  expect(problem(web, node(zone('b')), [inA(pod('db'))])).toBe(noAffinity);
  expect(problem(web, node({}), [inA(pod('db'))])).toBe(noAffinity);
  expect(problem(web, node(zone('a')), [inA(pod('db', {}, 'other'))])).toBe(noAffinity);
  const anywhere = pod('web', near({ ...term('db'), namespaces: ['other'] }));
  expect(problem(anywhere, node(zone('a')), [inA(pod('db', {}, 'other'))])).toBeUndefined();
});

test('the first of pods that want to be together may go anywhere', () => {
  const web = pod('web', near(term('web')));
  expect(problem(web, node(zone('a')), [])).toBeUndefined();
  expect(problem(web, node(zone('b')), [inA(pod('web'))])).toBe(noAffinity);
});

test('a pod keeps away from others, and others keep it away', () => {
  const web = pod('web', apart(term('web')));
  expect(problem(web, node(zone('b')), [inA(pod('web'))])).toBeUndefined();
  expect(problem(web, node(zone('a')), [inA(pod('web'))])).toBe(
    "node(s) didn't match pod anti-affinity rules",
  );
  expect(problem(pod('web'), node(zone('a')), [inA(web)])).toBe(
    "node(s) didn't satisfy existing pods anti-affinity rules",
  );
  expect(problem(pod('db'), node(zone('a')), [inA(web)])).toBeUndefined();
});

test.each([
  { podAntiAffinity: 5 },
  { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: 'all' } },
  apart(null as never),
  apart({ topologyKey: 'zone', labelSelector: { matchExpressions: 5 } }),
  near({ topologyKey: 'zone', labelSelector: { matchLabels: { app: 5 } } }),
  near({
    topologyKey: 'zone',
    labelSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: 5 }] },
  }),
])('malformed rules %j disturb nobody', affinity => {
  const odd = pod('odd', affinity);
  expect(problem(odd, node(zone('a')), [inA(odd)])).toBeUndefined();
  expect(problem(pod('web'), node(zone('a')), [inA(odd)])).toBeUndefined();
});

test.each([
  {
    of: 'rules about nodes that have no such label',
    termOf: () => ({ ...term('db'), topologyKey: 'none' }),
  },
  { of: 'one rule, again and again', termOf: () => term('db') },
])('the work for $of is not multiplied by the neighbours', async ({ termOf }) => {
  const neighbours = Array.from({ length: 200 }, () => inA(pod('web')));
  const stepsFor = (rules: number): Promise<number> => {
    const wanted = pod('web', apart(...Array.from({ length: rules }, termOf)));
    return countSteps(() => problem(wanted, node(zone('a')), neighbours));
  };
  await stepsFor(1);
  // Each rule is read once: some dozen steps, and the length of its text.
  expect((await stepsFor(200)) - (await stepsFor(100))).toBeLessThan(100 * 200);
});

test('selectors are read once, not once for each neighbour', async () => {
  const expressions = (count: number): object[] =>
    Array.from({ length: count }, (_, i) => ({ key: `k${i}`, operator: 'Exists' }));
  const neighbours = Array.from({ length: 200 }, () => inA(pod('web')));
  const stepsFor = (count: number): Promise<number> => {
    const rule = { topologyKey: 'zone', labelSelector: { matchExpressions: expressions(count) } };
    return countSteps(() => problem(pod('web', apart(rule)), node(zone('a')), neighbours));
  };
  await stepsFor(1);
  expect((await stepsFor(200)) - (await stepsFor(100))).toBeLessThan(100 * 200);
});
