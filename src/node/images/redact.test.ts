import { describe, expect, test } from 'vitest';
import { redact } from './redact.ts';

const auth = { username: 'puller', password: 'hunter2 & "co"/é' };
const shown = (message: string, image = 'reg.io/app:1'): string =>
  redact(message, [auth], image).text;

describe('redact()', () => {
  test.each([
    ['as it is', auth.password],
    ['as JSON has it', JSON.stringify(auth.password).slice(1, -1)],
    ['quoted twice', JSON.stringify(JSON.stringify(auth.password)).slice(3, -3)],
    ['as a URL has it', encodeURIComponent(auth.password)],
    ['as a form has it', new URLSearchParams({ p: auth.password }).toString().slice(2)],
    ['in base64', Buffer.from(auth.password).toString('base64')],
    ['as HTTP sends it', Buffer.from(`puller:${auth.password}`).toString('base64')],
  ])('a password %s is not shown', (_how, word) => {
    const text = shown(`denied: "${word}" is wrong for puller`);
    expect(text).toMatch(/^denied: "\[REDACTED\]=*" is wrong for puller$/);
  });

  test('tells which words may be elsewhere too, and none where nothing was told', () => {
    expect(redact('denied', [auth], 'x').told).toEqual([]);
    expect(redact(`denied ${auth.password}`, [auth], 'x').told).toContain(auth.password);
  });

  test('every credential that was tried counts', () => {
    const other = { username: 'u', password: 'correct horse' };
    expect(redact('no: correct horse', [auth, other], 'x').text).toBe('no: [REDACTED]');
  });

  test.each([
    ['failed to pull reg.io/team/app', { password: 'team' }, 'reg.io/team/app'],
    ['404 Not Found', { password: '404' }, 'reg.io/app'],
    ['denied', {}, 'reg.io/app'],
    ['denied', { username: '', password: '' }, 'reg.io/app'],
  ])('%s is told as it is', (message, credential, image) => {
    expect(redact(message, [credential], image).text).toBe(message);
  });

  test.each([
    ['Head "https://me:word@reg.io/v2/": EOF', 'Head "https://me:***@reg.io/v2/": EOF'],
    ['https://me:w@rd@reg.io/v2', 'https://me:***@reg.io/v2'],
    ['https://token@reg.io/v2', 'https://***@reg.io/v2'],
    [
      'Get "https://s3.io/blob?X-Sig=abc&e=1": 403',
      'Get "https://s3.io/blob?X-Sig=[REDACTED]&e=[REDACTED]": 403',
    ],
    [
      'from https://a.io/token?scope=repository:x:pull&service=s: 401 Unauthorized',
      'from https://a.io/token?scope=[REDACTED]&service=[REDACTED]: 401 Unauthorized',
    ],
    ['http://reg.io:5000/v2/app@sha256:ab: 404', 'http://reg.io:5000/v2/app@sha256:ab: 404'],
  ])('addresses carry no secret: %s', (message, text) => {
    expect(redact(message, [], 'x').text).toBe(text);
  });
});
