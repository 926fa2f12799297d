import { describe, expect, test } from 'vitest';
import { nextState, type WorkerEvent, type WorkerState } from './worker-state.ts';

const failure = { reason: 'DeadlineExceeded', message: 'too long', rejected: false };

/** What a sequence of events leads to. */
const after = (...events: WorkerEvent[]): WorkerState =>
  events.reduce<WorkerState>(nextState, { name: 'syncing' });

describe('nextState()', () => {
  test.each<[string, WorkerEvent[], WorkerState]>([
    ['a pod that completed is terminating', [{ type: 'podCompleted' }], { name: 'terminating' }],
    [
      'a failure stays known, also when the pod is deleted after it',
      [
        { type: 'podFailed', failure },
        { type: 'deletionRequested' },
        { type: 'containersStopped' },
      ],
      { name: 'terminated', failure, deletion: 'requested' },
    ],
    [
      'a pod that the API server forgot need not be deleted from it',
      [{ type: 'podRemoved' }, { type: 'deletionRequested' }],
      { name: 'terminating', deletion: 'forced' },
    ],
    [
      'a pod that completed long ago can still be deleted',
      [{ type: 'podCompleted' }, { type: 'containersStopped' }, { type: 'deletionRequested' }],
      { name: 'terminated', deletion: 'requested' },
    ],
    [
      'a deleted pod is finished once nothing of it is left',
      [{ type: 'deletionRequested' }, { type: 'containersStopped' }, { type: 'resourcesRemoved' }],
      { name: 'finished' },
    ],
    [
      'nothing happens to a finished pod',
      [
        { type: 'podRemoved' },
        { type: 'containersStopped' },
        { type: 'resourcesRemoved' },
        { type: 'deletionRequested' },
      ],
      { name: 'finished' },
    ],
  ])('%s', (_title, events, state) => {
    expect(after(...events)).toEqual(state);
  });

  test('an event that comes too late changes nothing', () => {
    const state = after({ type: 'deletionRequested' });
    expect(nextState(state, { type: 'podCompleted' })).toBe(state);
    expect(nextState(state, { type: 'podFailed', failure })).toBe(state);
    expect(nextState(state, { type: 'deletionRequested' })).toBe(state);
  });
});
