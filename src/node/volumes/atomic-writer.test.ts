import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAtomicWriter } from './atomic-writer.ts';
import type { Payload } from './payload.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'keylet-writer-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const files = (contents: Record<string, string>, mode = 0o644): Payload =>
  new Map(
    Object.entries(contents).map(([name, text]) => [name, { data: Buffer.from(text), mode }]),
  );
const read = (name: string): string => readFileSync(path.join(dir, name), 'utf8');
const version = (n: number): Payload => files({ a: `${n}\n`.repeat(500), b: `${n}\n`.repeat(500) });
const versions = (): string[] => readdirSync(dir).filter(name => /^\.\.\d/.test(name));

describe('createAtomicWriter()', () => {
  test('lays the files out as the kubelet does', () => {
    createAtomicWriter(dir).write(files({ username: 'admin', 'a/b/c': 'deep', '.dot': 'x' }));
    expect(readdirSync(dir).toSorted()).toEqual(
      ['.dot', '..data', versions()[0] ?? '', 'a', 'username'].toSorted(),
    );
    expect(versions()[0]).toMatch(/^\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\d+$/);
    expect(readlinkSync(path.join(dir, '..data'))).toBe(versions()[0]);
    expect(readlinkSync(path.join(dir, 'username'))).toBe('..data/username');
    expect(readlinkSync(path.join(dir, 'a'))).toBe('..data/a');
    expect(read('a/b/c')).toBe('deep');
  });

  test('gives each file its mode whatever the umask, and folders 0755', () => {
    const umask = process.umask(0o077);
    try {
      createAtomicWriter(dir).write(
        new Map([
          ['open', { data: Buffer.from('1'), mode: 0o777 }],
          ['sub/closed', { data: Buffer.from('2'), mode: 0o400 }],
        ]),
      );
    } finally {
      process.umask(umask);
    }
    expect(statSync(path.join(dir, 'open')).mode & 0o7777).toBe(0o777);
    expect(statSync(path.join(dir, 'sub/closed')).mode & 0o7777).toBe(0o400);
    expect(statSync(path.join(dir, 'sub')).mode & 0o7777).toBe(0o755);
    expect(statSync(path.join(dir, '..data/')).mode & 0o7777).toBe(0o755);
  });

  test('takes away what is gone, adds what is new, keeps one version', () => {
    const writer = createAtomicWriter(dir);
    writer.write(files({ a: '1', 'b/c': '2' }));
    expect(writer.write(files({ a: '3', d: '4' }))).toBe(true);
    expect(readdirSync(dir).filter(name => !name.startsWith('..'))).toEqual(['a', 'd']);
    expect([read('a'), read('d')]).toEqual(['3', '4']);
    writer.sweep(0);
    expect(versions()).toHaveLength(1);
    writer.write(new Map());
    expect(readdirSync(dir).filter(name => !name.startsWith('..'))).toEqual([]);
  });

  test('lets a reader finish with the version it began with', () => {
    const writer = createAtomicWriter(dir);
    writer.write(files({ a: '1', b: '1' }));
    const begun = path.join(dir, readlinkSync(path.join(dir, '..data')));
    for (const n of ['2', '3']) writer.write(files({ a: n }));
    expect(writer.sweep(60_000)).toBe(true);
    expect(readFileSync(path.join(begun, 'b'), 'utf8')).toBe('1');
    expect(writer.sweep(0)).toBe(false);
    expect(versions()).toEqual([readlinkSync(path.join(dir, '..data'))]);
  });

  test('keeps a version that is held until it is no more, also after a restart', () => {
    const held = new Set<string>();
    const open = () => createAtomicWriter(dir, { held: () => held });
    let writer = open();
    writer.write(files({ 'in/a': '1' }));
    const [first = ''] = versions();
    held.add(first);
    writer.write(files({ 'in/a': '2' }));
    expect(writer.sweep(0)).toBe(false);
    writer = open();
    writer.write(files({ 'in/a': '3' }));
    writer.sweep(0);
    expect(read(path.join(first, 'in/a'))).toBe('1');
    expect(versions()).toHaveLength(2);
    held.clear();
    writer.write(files({ 'in/a': '4' }));
    writer.sweep(0);
    expect(versions()).toEqual([readlinkSync(path.join(dir, '..data'))]);
  });

  test('leaves the same content alone, also after a restart and with other modes', () => {
    createAtomicWriter(dir).write(files({ a: '1', 'b/c': '2' }));
    const before = lstatSync(path.join(dir, '..data')).ino;
    expect(createAtomicWriter(dir).write(files({ 'b/c': '2', a: '1' }, 0o600))).toBe(false);
    expect(lstatSync(path.join(dir, '..data')).ino).toBe(before);
  });

  test('changes no time where nothing changed', () => {
    const writer = createAtomicWriter(dir);
    writer.write(files({ a: '1', 'b/c': '2' }));
    const times = (): number[] =>
      ['', '..data', '..data/', 'a', 'b/c'].map(name => lstatSync(path.join(dir, name)).ctimeMs);
    const before = times();
    expect(writer.write(files({ a: '1', 'b/c': '2' }))).toBe(false);
    expect(times()).toEqual(before);
  });

  test('follows a name that turns from file to folder and back', () => {
    const writer = createAtomicWriter(dir);
    writer.write(files({ a: 'file', b: 'x' }));
    writer.write(files({ 'a/one': '1', 'a/two/three': '3' }));
    expect(readdirSync(dir).filter(name => !name.startsWith('..'))).toEqual(['a']);
    expect([read('a/one'), read('a/two/three')]).toEqual(['1', '3']);
    writer.write(files({ a: 'file again' }));
    expect(read('a')).toBe('file again');
    writer.sweep(0);
    expect(versions()).toHaveLength(1);
  });

  test('tells names apart by case, and keeps empty values and any bytes', () => {
    const any = Buffer.from(Array.from({ length: 1024 * 1024 }, (_, i) => i % 256));
    createAtomicWriter(dir).write(
      new Map([
        ...files({ Key: '1', key: '2', KEY: '3', empty: '', '.dot': '4', 'a..b': '5' }),
        ['any', { data: any, mode: 0o644 }],
      ]),
    );
    expect(['Key', 'key', 'KEY', 'empty', '.dot', 'a..b'].map(read).join()).toBe('1,2,3,,4,5');
    expect(readFileSync(path.join(dir, 'any')).equals(any)).toBe(true);
  });

  test.each([
    ['x//y/./z', 'x/y/z'],
    ['q/', 'q'],
    ['./d', 'd'],
    [`${'n'.repeat(255)}/m`, `${'n'.repeat(255)}/m`],
  ])('puts %j at its shortest path', (name, target) => {
    createAtomicWriter(dir).write(files({ [name]: 'here' }));
    expect(read(target)).toBe('here');
  });

  test('leaves a mount point of its own name alone', () => {
    mkdirSync(path.join(dir, 'taken'));
    const writer = createAtomicWriter(dir);
    writer.write(files({ taken: 'x', other: 'y' }));
    writer.write(files({ other: 'z' }));
    expect(statSync(path.join(dir, 'taken')).isDirectory()).toBe(true);
    expect(read('other')).toBe('z');
  });

  test('tells apart from the disk what it may take away', () => {
    const writer = createAtomicWriter(dir);
    writer.write(files({ a: '1' }));
    // As a privileged container can, once it has remounted the volume.
    rmSync(path.join(dir, 'a'));
    writeFileSync(path.join(dir, '..data/own'), 'x');
    expect(writer.write(files({ b: '2' }))).toBe(true);
    writer.sweep(0);
    expect(versions()).toHaveLength(1);
    expect(read('b')).toBe('2');
  });

  test('goes on after a crash at any step', () => {
    createAtomicWriter(dir).write(files({ a: '1', gone: 'x' }));
    symlinkSync('..2000_01_01_00_00_00.1', path.join(dir, '..data_tmp'));
    mkdirSync(path.join(dir, '..2000_01_01_00_00_00.1'));
    writeFileSync(path.join(dir, '..2000_01_01_00_00_00.1/a'), 'half');
    const next = createAtomicWriter(dir);
    expect(next.write(files({ a: '2' }))).toBe(true);
    next.sweep(0);
    expect(read('a')).toBe('2');
    expect(readdirSync(dir).toSorted()).toEqual(['..data', versions()[0] ?? '', 'a'].toSorted());
    expect(versions()).toHaveLength(1);
  });

  test.each([
    [{ a: '2', 'a/b': 'x' }, /^mkdir .*\/a: not a directory$/],
    [{ 'a/b': 'x', a: '2' }, /^open .*\/a: is a directory$/],
  ])('keeps what is published when %j cannot be written', (contents, message) => {
    const writer = createAtomicWriter(dir);
    writer.write(files({ a: '1' }));
    expect(() => writer.write(files(contents))).toThrow(message);
    expect(read('a')).toBe('1');
    expect(versions()).toHaveLength(1);
    expect(writer.write(files({ a: '2' }))).toBe(true);
  });

  test('tells watchers of ..data of each version', async () => {
    const writer = createAtomicWriter(dir);
    writer.write(files({ a: '1' }));
    const stop = new AbortController();
    const seen = (async () => {
      for await (const { filename } of watch(dir, { signal: stop.signal })) {
        if (filename === '..data') return read('a');
      }
      return undefined;
    })();
    writer.write(files({ a: '2' }));
    expect(await seen).toBe('2');
    stop.abort();
  });

  test.each([
    ['', 'invalid path: must not be empty: ""'],
    ['/etc/passwd', 'invalid path: must be relative path: /etc/passwd'],
    ['a/../../b', "invalid path: must not contain '..': a/../../b"],
    ['..', "invalid path: must not contain '..': .."],
    ['..data', "invalid path: must not start with '..': ..data"],
    ['x'.repeat(256), 'invalid path: filenames must be less than or equal to 255 characters'],
    ['x/'.repeat(2049), 'invalid path: must be less than or equal to 4096 characters'],
  ])('refuses the path %j', (name, message) => {
    const writer = createAtomicWriter(dir);
    expect(() => writer.write(files({ [name]: 'x' }))).toThrow(message);
    expect(readdirSync(dir)).toEqual([]);
  });

  test('shows a reader whole versions only', { timeout: 60_000 }, async () => {
    const writer = createAtomicWriter(dir);
    writer.write(version(0));
    const reader = spawn(process.execPath, ['-e', readerScript, dir], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(reader.stdout, 'data');
    for (let n = 1; n <= 1000; n += 1) {
      writer.write(version(n));
      writer.sweep(100);
      // Lets the reader have the processor on a machine that has one.
      if (n % 10 === 0) await new Promise(setImmediate);
    }
    reader.stdin.end();
    const [report] = (await once(reader.stdout, 'data')) as [Buffer];
    const { torn, seen } = JSON.parse(report.toString()) as { torn: number; seen: number };
    expect(torn).toBe(0);
    expect(seen).toBeGreaterThan(1);
  });
});

/** Reads both files of one version, over and over; what vanished under it is read anew. */
const readerScript = `
  const fs = require('node:fs');
  const dir = process.argv[1];
  const versions = new Set();
  let torn = 0;
  let stop = false;
  process.stdin.on('end', () => (stop = true)).resume();
  const whole = text => { const [first] = text.split('\\n'); return text === (first + '\\n').repeat(500) ? first : undefined; };
  const step = () => {
    for (let i = 0; i < 50; i += 1) {
      let single;
      do { try { single = fs.readFileSync(dir + '/a', 'utf8'); } catch {} } while (single === undefined);
      if (whole(single) === undefined) torn += 1;
      try {
        const at = dir + '/' + fs.readlinkSync(dir + '/..data');
        const [a, b] = ['a', 'b'].map(name => whole(fs.readFileSync(at + '/' + name, 'utf8')));
        if (a === undefined || a !== b) torn += 1;
        versions.add(a);
      } catch (error) {
        if (error.code !== 'ENOENT') throw error;
      }
    }
    if (stop) process.stdout.write(JSON.stringify({ torn, seen: versions.size }));
    else setImmediate(step);
  };
  process.stdout.write('ready');
  step();
`;
