import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLogger, type LogLevel } from './log.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function logTo(level: LogLevel = 'debug') {
  let text = '';
  const log = createLogger({
    level,
    write: line => (text += line),
    now: () => new Date('2026-01-02T03:04:05.678Z'),
  });
  const read = (): string[] => text.split('\n').slice(0, -1);
  return { log, read, text: () => text };
}

test('a line has its time, level, message and fields', () => {
  const { log, read } = logTo();
  log.warn('Pod sync failed', { pod: 'web "1"', tries: 3, last: false, reason: undefined });
  expect(read()).toEqual([
    String.raw`2026-01-02T03:04:05.678Z warn  Pod sync failed pod="web \"1\"" tries=3 last=false`,
  ]);
});

test('lines below the level are not written', () => {
  const { log, read } = logTo('warn');
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  expect(read()).toHaveLength(2);
});

test('a message that comes without end is written twenty times a minute, and the others are counted', () => {
  const { log, read } = logTo();
  for (let i = 0; i < 100_000; i += 1) log.error('A request failed', { path: `/${i}` });
  expect(read()).toHaveLength(20);
  log.error('Something else');
  expect(read().at(-1)).toContain('Something else');
  vi.advanceTimersByTime(60_000);
  expect(read()).toHaveLength(22);
  expect(read().at(-1)).toBe(
    '2026-01-02T03:04:05.678Z error Log lines suppressed message="A request failed" count=99980',
  );
  log.error('A request failed', { path: '/again' });
  expect(read().at(-1)).toContain('path="/again"');
});

test('messages that are not constant take no room without end', () => {
  const { log, read } = logTo();
  for (let i = 0; i < 100_000; i += 1) log.warn(`message ${i}`);
  expect(read().length).toBeLessThan(600);
});

test('a long value is cut, and says how much is missing', () => {
  const { log, text } = logTo();
  log.error('A request failed', { error: 'x'.repeat(1_000_000) });
  expect(text().length).toBeLessThan(5000);
  expect(text()).toContain('xxx… (995904 more)"');
});

test.each([
  {
    what: 'line feeds',
    value: 'a\n2026-01-02T03:04:05.678Z error Forged',
    shown: String.raw`a\n2026`,
  },
  { what: 'carriage returns', value: 'a\rb', shown: String.raw`a\rb` },
  { what: 'escape sequences of a terminal', value: '\u001b[2J', shown: String.raw`\u001b[2J` },
  { what: 'C1 control characters', value: '\u009b2J\u0085', shown: String.raw`\u009b2J\u0085` },
  { what: 'delete', value: '\u007f', shown: String.raw`\u007f` },
  { what: 'line separators', value: 'a\u2028b', shown: String.raw`a\u2028b` },
  { what: 'a change of the direction of text', value: 'a\u202eb', shown: String.raw`a\u202eb` },
  { what: 'invisible characters', value: 'a\u200bb', shown: String.raw`a\u200bb` },
  { what: 'half a surrogate pair', value: 'a\ud800b', shown: String.raw`a\ud800b` },
])('$what in a value forge nothing', ({ value, shown }) => {
  const { log, read, text } = logTo();
  log.warn('Refused', { name: value });
  log.warn(`Refused ${value}`);
  expect(read()).toHaveLength(2);
  expect(read()[0]).toContain(shown);
  expect(text().replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
});

test('what people write in any script is left as it is', () => {
  const { log, read } = logTo();
  log.info('Read', { folder: '/srv/Größe 日本 🙂' });
  expect(read()[0]).toContain('folder="/srv/Größe 日本 🙂"');
});
