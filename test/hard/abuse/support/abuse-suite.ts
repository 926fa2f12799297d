import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../../../support/keylet.ts';
import type { Abuse, AbuseContext } from './abuse.ts';
import { startArena, type Arena } from './arena.ts';
import { percentile, tableOf, type Figures } from './figures.ts';
import type { OrdinaryReport } from './ordinary-messages.ts';
import { stepBack } from './priority.ts';
import { pause } from './sending.ts';
import { createTally } from './tally.ts';

const budgetMs = 250;
const maxLeftMiB = 100;
const maxLogBytes = 64 * 1024;
/** An abuse that still has senders waiting by then has stopped the server. */
const abuseWithinMs = 20_000;
const memoryWithinMs = 20_000;
/** So that a percentile is one of enough requests. */
const leastMs = 1500;

/** Where this fails, the machine is too busy for the figures to mean anything. */
const nothing: Abuse = {
  name: 'nothing: the ordinary client alone',
  sender: 'anonymous',
  expects: [],
  send: () => Promise.resolve(),
};

/**
 * A test for each abuse, all of them against one server.
 * @param maxP99Ms of the ordinary client's latencies
 */
export function abuseSuite(
  title: string,
  abuses: readonly Abuse[],
  { maxP99Ms = budgetMs }: { readonly maxP99Ms?: number } = {},
): void {
  describe(title, () => {
    let arena: Arena;
    let memoryAtStart = 0;
    const figures: Figures[] = [];

    beforeAll(async () => {
      arena = await startArena();
      stepBack();
      memoryAtStart = await warmedUp(arena);
    });
    afterAll(async () => {
      await arena.stop();
      process.stdout.write(`\n${title}\n${tableOf(figures)}`);
    });

    for (const abuse of [nothing, ...abuses]) {
      test(abuse.name, { timeout: 150_000 }, async () => {
        if (!arena.usable()) {
          await arena.stop();
          arena = await startArena();
          memoryAtStart = await warmedUp(arena);
        }
        const { complaints, ...measured } = await run(abuse, arena, maxP99Ms);
        figures.push({ ...measured, failed: complaints.length > 0 });
        await keep(title, figures);
        if (complaints.length > 0) arena.giveUp();
        expect(complaints).toEqual([]);
      });
    }

    test('memory is as it was before all of them', { timeout: 60_000 }, async () => {
      const left = await settledMemory(arena, memoryAtStart);
      expect(left - memoryAtStart).toBeLessThan(maxLeftMiB);
    });
  });
}

async function run(
  abuse: Abuse,
  arena: Arena,
  maxP99Ms: number,
): Promise<Figures & { complaints: string[] }> {
  const { server, ordinary } = arena;
  const tally = createTally();
  const stop = new AbortController();
  const client = await arena.clientOf(abuse.sender);
  const context: AbuseContext = {
    port: server.port,
    client,
    admin: arena.admin,
    tally,
    signal: stop.signal,
  };
  const complaints: string[] = [];
  await abuse.prepare?.(context);
  const before = server.memory();
  const logBefore = server.logBytes();
  server.resetPeak();
  await ordinary.take();
  const startedAt = performance.now();
  const sending = abuse.send(context).then(
    () => true,
    (error: unknown) => {
      complaints.push(`the abuse itself failed: ${String(error)}`);
      return true;
    },
  );
  const [ended] = await Promise.all([
    Promise.race([sending, pause(abuseWithinMs).then(() => false), arena.serverEnded]),
    pause(leastMs),
  ]);
  stop.abort();
  if (!ended) complaints.push(`not over after ${abuseWithinMs / 1000} s`);
  const seconds = (performance.now() - startedAt) / 1000;
  const peak = server.peak();
  const { latencies: byKind, failures } = await ordinary.take();
  const latencies = Object.values(byKind).flat();
  const p99 = percentile(latencies, 99);
  const worst = Math.max(...latencies);
  if (!(p99 < maxP99Ms))
    complaints.push(`p99 of the ordinary client: ${Math.round(p99)} ms (${worstOf(byKind)})`);
  for (const [what, count] of Object.entries(failures))
    complaints.push(`ordinary client: ${what} ×${count}`);
  complaints.push(...tally.unexpected(abuse.expects).map(each => `answer: ${each}`));

  let after = 0;
  if (server.alive() && ended) {
    complaints.push(...((await abuse.check?.(context)) ?? []));
    client.close();
    await abuse
      .cleanUp?.(context)
      .catch((error: unknown) => complaints.push(`the clean-up failed: ${String(error)}`));
    const { outcome } = await arena.admin.call({ path: '/readyz' });
    if (outcome !== 200) complaints.push(`/readyz afterwards: ${outcome}`);
    after = await settledMemory(arena, before);
    if (after - before >= maxLeftMiB)
      complaints.push(`memory: ${Math.round(before)} MiB before, ${Math.round(after)} after`);
  }
  client.close();
  if (!server.alive()) complaints.push(`the server ended: ${server.end()}`);
  const logged = server.logBytes() - logBefore;
  if (logged > maxLogBytes) complaints.push(`logged ${Math.round(logged / 1024)} KiB`);
  if (logged > 0 && complaints.length > 0) complaints.push(`log: ${server.logTail()}`);
  const { name, sender } = abuse;
  const answers = tally.summary();
  return { name, sender, seconds, p99, worst, before, peak, after, logged, answers, complaints };
}

const worstOf = (byKind: OrdinaryReport['latencies']): string =>
  Object.entries(byKind)
    .map(([kind, each]) => `${kind} ${Math.round(Math.max(...each))} ms`)
    .join(', ');

/** Memory once it is back, or after a bounded wait. The ordinary client goes on meanwhile. */
async function settledMemory({ server }: Arena, before: number): Promise<number> {
  const until = performance.now() + memoryWithinMs;
  while (server.memory() - before >= maxLeftMiB && performance.now() < until) await pause(250);
  return server.memory();
}

/** Memory of a server that has been at work for a little. */
async function warmedUp({ server, ordinary }: Arena): Promise<number> {
  await pause(2000);
  await ordinary.take();
  return server.memory();
}

/** The figures so far, for docs/reliability.md. */
async function keep(title: string, figures: readonly Figures[]): Promise<void> {
  const folder = path.join(root, '.cache', 'hard');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, `${title.replaceAll(/\W+/g, '-')}.md`), tableOf(figures));
}
