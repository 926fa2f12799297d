import { describe, expect, test } from 'vitest';
import type { Pod } from '../../api/core/v1/pod.ts';
import {
  container,
  pod,
  seen,
  stateOf,
  reported,
  withDeadSandbox,
  withNewSandbox,
} from '../../../test/support/runtime-state.ts';
import { planPod } from './plan.ts';
import type { PodRuntimeState } from './runtime-state.ts';

const facts = { unhealthy: () => undefined, isStarted: () => true, isReplaced: () => false };
const c = container('c');

describe('planPod()', () => {
  const starts = (of: Pod, state: PodRuntimeState): string[] =>
    planPod(of, state, facts).start.map(each => `${each.container.name} ${each.attempt}`);

  test('starts what is not there, and leaves what runs alone', () => {
    expect(starts(pod(), stateOf())).toEqual(['c 0']);
    expect(planPod(pod(), stateOf(seen(c, 'CONTAINER_RUNNING')), facts)).toEqual({
      start: [],
      kill: [],
      finished: false,
    });
  });

  test.each([
    ['Always', 0, ['c 1'], false],
    ['Always', 1, ['c 1'], false],
    ['OnFailure', 1, ['c 1'], false],
    ['OnFailure', 0, [], true],
    ['Never', 1, [], true],
  ] as const)('%s after exit %i', (restartPolicy, exitCode, start, finished) => {
    const state = stateOf(seen(c, 'CONTAINER_EXITED', { exitCode }));
    expect(starts(pod({ restartPolicy }), state)).toEqual(start);
    expect(planPod(pod({ restartPolicy }), state, facts).finished).toBe(finished);
  });

  test('init containers come one by one, before the others', () => {
    const one = container('one');
    const two = container('two');
    const of = pod({ initContainers: [one, two] });
    expect(starts(of, stateOf())).toEqual(['one 0']);
    expect(starts(of, stateOf(seen(one, 'CONTAINER_RUNNING')))).toEqual([]);
    expect(starts(of, stateOf(seen(one, 'CONTAINER_EXITED')))).toEqual(['two 0']);
    expect(
      starts(of, stateOf(seen(one, 'CONTAINER_EXITED'), seen(two, 'CONTAINER_EXITED'))),
    ).toEqual(['c 0']);
  });

  test('a failed init container is tried again, or ends a pod that never restarts', () => {
    const init = container('init');
    const failed = stateOf(seen(init, 'CONTAINER_EXITED', { exitCode: 1 }));
    expect(starts(pod({ initContainers: [init] }), failed)).toEqual(['init 1']);
    expect(
      planPod(pod({ initContainers: [init], restartPolicy: 'Never' }), failed, facts),
    ).toMatchObject({ start: [], finished: true });
  });

  test('init containers that were removed after the pod began are not run again', () => {
    const of = pod({ initContainers: [container('init')] });
    expect(starts(of, stateOf(seen(c, 'CONTAINER_RUNNING')))).toEqual([]);
  });

  describe('in a new sandbox', () => {
    const init = container('init');
    const ran = stateOf(
      seen(init, 'CONTAINER_EXITED'),
      seen(c, 'CONTAINER_EXITED', { exitCode: 137 }),
    );

    test('all begins anew, the init containers first, and is counted on', () => {
      const of = pod({ initContainers: [init] });
      expect(starts(of, withNewSandbox(ran))).toEqual(['init 1']);
      const again = seen(init, 'CONTAINER_EXITED', {
        podSandboxId: 'new',
        metadata: { name: 'init', attempt: 1 },
      });
      const later = { ...ran, containers: new Map([...ran.containers, ['init', [again]]]) };
      expect(starts(of, withNewSandbox(later))).toEqual(['c 1']);
    });

    test('what never restarts gets none', () => {
      const running = stateOf(seen(c, 'CONTAINER_RUNNING'));
      const never = pod({ restartPolicy: 'Never' });
      expect(planPod(never, withDeadSandbox(running), facts)).toMatchObject({
        start: [],
        finished: true,
      });
      // Nothing has run yet.
      expect(starts(never, withDeadSandbox(stateOf()))).toEqual(['c 0']);
    });

    test('OnFailure: what succeeded is not run again', () => {
      const d = container('d');
      const of = pod({ restartPolicy: 'OnFailure', containers: [c, d] });
      const state = stateOf(
        seen(c, 'CONTAINER_EXITED'),
        seen(d, 'CONTAINER_EXITED', { exitCode: 137 }),
      );
      expect(starts(of, withNewSandbox(state))).toEqual(['d 1']);
      const both = stateOf(seen(c, 'CONTAINER_EXITED'), seen(d, 'CONTAINER_EXITED'));
      expect(planPod(of, withDeadSandbox(both), facts).finished).toBe(true);
    });
  });

  test('one whose state is unknown is ended before another starts', () => {
    const init = container('init');
    const of = pod({ initContainers: [init] });
    const plan = planPod(of, stateOf(seen(init, 'CONTAINER_UNKNOWN')), facts);
    expect(plan).toMatchObject({
      start: [],
      kill: [{ id: 'init-0', message: expect.stringContaining('"unknown" state') as string }],
      finished: false,
    });
  });

  test.each([
    [reported({ restartCount: 2, containerID: 'containerd://gone' }), 'c 3'],
    [reported({ restartCount: 3 }), 'c 3'],
  ])('what the runtime has forgotten is counted on: %j', (old, start) => {
    expect(starts({ ...pod(), status: { containerStatuses: [old] } }, stateOf())).toEqual([start]);
  });

  test('a container that was ended for a new image is made anew even where nothing restarts', () => {
    const never = pod({ restartPolicy: 'Never', containers: [container('c', { image: 'newer' })] });
    const ended = stateOf(seen(c, 'CONTAINER_EXITED', { exitCode: 137 }));
    expect(planPod(never, ended, facts).finished).toBe(true);
    const plan = planPod(never, ended, { ...facts, isReplaced: () => true });
    expect(plan.start.map(each => each.container.image)).toEqual(['newer']);
  });

  test('a new image, or a failed probe, ends the container', () => {
    const newer = pod({ containers: [container('c', { image: 'newer' })] });
    const running = stateOf(seen(c, 'CONTAINER_RUNNING'));
    expect(planPod(newer, running, facts).kill.map(each => each.message)).toEqual([
      'Container c definition changed, will be restarted',
    ]);
    expect(
      planPod(pod(), running, { ...facts, unhealthy: () => ({ message: 'because' }) }).kill.map(
        each => each.message,
      ),
    ).toEqual(['because']);
  });
});
