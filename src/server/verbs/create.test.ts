import { describe, expect, test } from 'vitest';
import { secretResource } from '../../api/core/v1/secret.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { alreadyExists, isStatusError } from '../../machinery/status.ts';
import type { RequestContext, VerbServices } from '../operation/operation.ts';
import { createAdmission } from '../admission/admission.ts';
import type { ObjectStore } from '../registry/object-store.ts';
import { unkept } from '../registry/unkept.ts';
import { createObject } from './create.ts';

/** A store in which some names are taken: a collision of random names cannot be made on demand. */
function services(taken: readonly string[]): VerbServices & { tried: string[] } {
  const tried: string[] = [];
  const objects = {
    create(object: KubeObject) {
      const name = object.metadata.name ?? '';
      tried.push(name);
      return taken.includes(name)
        ? Promise.reject(alreadyExists(secretResource, name))
        : Promise.resolve(unkept(object));
    },
  } as unknown as ObjectStore;
  return {
    tried,
    entry: { descriptor: secretResource, objects, handlers: {} },
    admission: createAdmission([]),
    authorize: () => ({ decision: 'allow', reason: '' }),
  };
}

const context = {
  operation: { namespace: 'ns', entry: { descriptor: secretResource } },
  warnings: [] as string[],
} as unknown as RequestContext;
const suffixes = (...values: string[]) => {
  let next = 0;
  return () => ({ now: '2026-01-01T00:00:00Z', randomSuffix: () => values[next++] ?? 'zzzzz' });
};
const generated = (): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { generateName: 'gen-' },
});

describe('createObject() with generateName', () => {
  test('takes another name when the first is taken', async () => {
    const store = services(['gen-aaaaa', 'gen-bbbbb']);
    const stored = await createObject(generated(), {
      context,
      services: store,
      dryRun: false,
      strategy: suffixes('aaaaa', 'bbbbb', 'ccccc'),
    });
    expect(stored.object().metadata).toMatchObject({ name: 'gen-ccccc', generateName: 'gen-' });
  });

  test('gives up after eight, and says why', async () => {
    const store = services(['gen-zzzzz']);
    const failed: unknown = await createObject(generated(), {
      context,
      services: store,
      dryRun: false,
      strategy: suffixes(),
    }).catch((error: unknown) => error);
    if (!isStatusError(failed, 'AlreadyExists')) throw failed;
    expect(failed.message).toBe(
      'secrets "gen-zzzzz" already exists, the server was not able to generate a unique name for the object',
    );
    expect(failed.status.details).toMatchObject({ retryAfterSeconds: 1 });
    expect(store.tried).toHaveLength(8);
  });

  test('a name that was asked for is tried once', async () => {
    const store = services(['mine']);
    const object = { ...generated(), metadata: { name: 'mine', generateName: 'gen-' } };
    await expect(createObject(object, { context, services: store, dryRun: false })).rejects.toThrow(
      'secrets "mine" already exists',
    );
    expect(store.tried).toEqual(['mine']);
  });
});

test('createObject() takes repeated owners out, and warns', async () => {
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u1', controller: true };
  const own: RequestContext = { ...context, warnings: [] };
  const stored = await createObject(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', ownerReferences: [owner, { ...owner }] },
    },
    { context: own, services: services([]), dryRun: false },
  );
  expect(stored.object().metadata.ownerReferences).toEqual([owner]);
  expect(own.warnings).toEqual([
    expect.stringMatching(
      /^\.metadata\.ownerReferences contains duplicate entries; .*; duplicate UID\(s\) observed: u1$/,
    ),
  ]);
});
