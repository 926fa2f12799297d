import { describe, expect, test } from 'vitest';
import type { ObjectMeta } from '../meta.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';

const errorsOf = (meta: ObjectMeta): string[] =>
  validateObjectMeta({ name: 'n', namespace: 'ns', ...meta }, { namespaced: true }).map(
    each => `${each.field}: ${each.message}`,
  );
const owner = { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'u' };
const notSubdomain = (name: string): string =>
  `Invalid value: "${name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;

describe('validateObjectMeta()', () => {
  const cases: [string, ObjectMeta, string[]][] = [
    ['no name', { name: '' }, ['metadata.name: Required value: name or generateName is required']],
    ['a name with a capital', { name: 'N' }, [`metadata.name: ${notSubdomain('N')}`]],
    ['a name of 253 characters', { name: 'n'.repeat(253) }, []],
    [
      'a name of 254',
      { name: 'n'.repeat(254) },
      [`metadata.name: Invalid value: "${'n'.repeat(254)}": must be no more than 253 characters`],
    ],
    ['generateName with its dash', { generateName: 'foo-' }, []],
    ['generateName without one', { generateName: 'foo' }, []],
    [
      'generateName with a dot',
      { generateName: 'foo.' },
      [`metadata.generateName: ${notSubdomain('foo.')}`],
    ],
    [
      'generateName of a dash',
      { generateName: '-' },
      [`metadata.generateName: ${notSubdomain('-')}`],
    ],
    ['annotations of 256 KiB', { annotations: { a: 'x'.repeat(256 * 1024 - 1) } }, []],
    [
      'a byte more of annotations',
      { annotations: { a: 'x'.repeat(256 * 1024) } },
      ['metadata.annotations: Too long: must have at most 262144 bytes'],
    ],
    ['annotation keys in capitals', { annotations: { 'Example.COM/Key': 'any\nthing' } }, []],
    [
      'a label key of 63 characters, and one of 64',
      { labels: { ['k'.repeat(63)]: '', ['l'.repeat(64)]: '' } },
      [
        `metadata.labels: Invalid value: "${'l'.repeat(64)}": name part must be no more than 63 characters`,
      ],
    ],
    [
      'a label value of 64 characters',
      { labels: { k: 'v'.repeat(64) } },
      [`metadata.labels: Invalid value: "${'v'.repeat(64)}": must be no more than 63 characters`],
    ],
    ['a qualified finalizer', { finalizers: ['example.com/wait', 'orphan'] }, []],
    [
      'a finalizer that is not qualified',
      { finalizers: ['wait'] },
      [
        'metadata.finalizers[0]: Invalid value: "wait": name is neither a standard finalizer name nor is it fully qualified',
      ],
    ],
    [
      'a finalizer that is no name',
      { finalizers: ['example.com/'] },
      [
        'metadata.finalizers: Invalid value: "example.com/": name part must be non-empty',
        "metadata.finalizers: Invalid value: \"example.com/\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      ],
    ],
    [
      'two finalizers that exclude one another',
      { finalizers: ['orphan', 'foregroundDeletion'] },
      [
        'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
      ],
    ],
    [
      'an empty owner',
      { ownerReferences: [{} as typeof owner] },
      [
        'metadata.ownerReferences.apiVersion: Invalid value: "": version must not be empty',
        'metadata.ownerReferences.kind: Invalid value: "": kind must not be empty',
        'metadata.ownerReferences.name: Invalid value: "": name must not be empty',
        'metadata.ownerReferences.uid: Invalid value: "": uid must not be empty',
      ],
    ],
    [
      'an Event as owner',
      { ownerReferences: [{ ...owner, kind: 'Event' }] },
      [
        'metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"a","uid":"u"}: /v1, Kind=Event is disallowed from being an owner',
      ],
    ],
  ];
  test.each(cases)('%s', (_title, meta, errors) => {
    expect(errorsOf(meta)).toEqual(errors);
  });

  test('only one owner controls', () => {
    const owners = [
      { ...owner, controller: true },
      { ...owner, name: 'b', controller: true },
    ];
    expect(errorsOf({ ownerReferences: owners })).toEqual([
      `metadata.ownerReferences: Invalid value: ${JSON.stringify(owners)}: Only one reference can have Controller set to true. Found "true" in references for Pod/a and Pod/b`,
    ]);
  });

  test('a value is shown as Go shows it', () => {
    expect(errorsOf({ labels: { k: 'a"\u0001\u200bé' } })[0]).toMatch(
      /^metadata\.labels: Invalid value: "a\\"\\x01\\u200bé": a valid label/,
    );
  });
});

describe('validateObjectMetaUpdate()', () => {
  const old: ObjectMeta = { name: 'n', uid: 'u', finalizers: ['a/b'] };
  const ending = { ...old, deletionTimestamp: '2026-01-01T00:00:00Z' };
  const errors = (next: ObjectMeta, before: ObjectMeta): string[] =>
    validateObjectMetaUpdate(next, before).map(each => `${each.field}: ${each.message}`);
  test('finalizers may be added while an object lives, and only taken out while it ends', () => {
    expect(errors({ ...old, finalizers: ['a/b', 'c/d'] }, old)).toEqual([]);
    expect(errors({ ...ending, finalizers: [] }, ending)).toEqual([]);
    expect(errors({ ...ending, finalizers: ['z/z', 'c/d'] }, ending)).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/d", "z/z"}',
    ]);
  });
  test('nobody ends an object by writing', () => {
    expect(errors(ending, old)).toEqual([
      'metadata.deletionTimestamp: Invalid value: "2026-01-01T00:00:00Z": field is immutable',
    ]);
  });
});
