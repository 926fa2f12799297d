import { expect, test } from 'vitest';
import { mustNotBeDeleted } from './deleted-object.ts';

const beganAt = '2026-01-02T03:00:00Z';
const issue = (deletionTimestamp: string | undefined, at: string) => () =>
  mustNotBeDeleted(
    { metadata: { name: 'builder', deletionTimestamp } },
    'ServiceAccount',
    Date.parse(at),
  );

test.each([
  ['that lives', undefined, '2026-01-02T03:00:00Z'],
  ['whose grace period is not over', beganAt, '2026-01-02T02:59:00Z'],
  ['whose deletion began a minute ago', beganAt, '2026-01-02T03:01:00Z'],
])('tokens are issued for an object %s', (_, deletionTimestamp, at) => {
  expect(issue(deletionTimestamp, at)).not.toThrow();
});

test('no token is issued for an object that should have been gone for longer', () => {
  expect(issue(beganAt, '2026-01-02T03:01:01Z')).toThrow(
    expect.objectContaining({
      code: 409,
      message:
        'Operation cannot be fulfilled on ServiceAccount "builder": the object is being deleted, no tokens are issued for it',
    }),
  );
});
