/** A line of log: what happened, and names, sizes and reasons about it. Never a secret's value. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Logger {
  /** @param message a constant text: lines of the same text are counted together */
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const levels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof levels)[number];

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly write: (line: string) => void;
  /** Wall clock, for the time of a line. @default Date */
  readonly now?: () => Date;
}

/** How many lines of one message are written in a window; the others are counted. */
const maxLines = 20;
const windowMs = 60_000;
/** Messages are constants; should one not be, they still take only this much room. */
const maxKinds = 500;
/** Of a field's value, in characters. */
const maxFieldLength = 4096;

interface Window {
  lines: number;
  suppressed: number;
}

/**
 * One line an entry: time, level, message, key=value. Nobody can fill a disk with it: what comes too often is
 * counted instead, and what is too long is cut.
 */
export function createLogger({ level, write, now = () => new Date() }: LoggerOptions): Logger {
  const windows = new Map<string, Window>();
  let timer: NodeJS.Timeout | undefined;

  const writeLine = (of: LogLevel, message: string, fields: LogFields): void =>
    write(`${now().toISOString()} ${of.padEnd(5)} ${oneLine(message)}${pairs(fields)}\n`);

  const endWindows = (): void => {
    timer = undefined;
    for (const [kind, { suppressed }] of windows) {
      if (suppressed === 0) continue;
      const [of, message = ''] = kind.split(/ (.*)/s);
      writeLine(of as LogLevel, 'Log lines suppressed', { message, count: suppressed });
    }
    windows.clear();
  };

  const windowOf = (of: LogLevel, message: string): Window => {
    const kind = windows.size < maxKinds ? `${of} ${message}` : `${of} (other)`;
    let window = windows.get(kind);
    if (window === undefined) {
      window = { lines: 0, suppressed: 0 };
      windows.set(kind, window);
    }
    timer ??= setTimeout(endWindows, windowMs).unref();
    return window;
  };

  const entry =
    (of: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (levels.indexOf(of) < levels.indexOf(level)) return;
      const window = windowOf(of, message);
      if (window.lines >= maxLines) {
        window.suppressed += 1;
        return;
      }
      window.lines += 1;
      writeLine(of, message, fields);
    };
  return { debug: entry('debug'), info: entry('info'), warn: entry('warn'), error: entry('error') };
}

const pairs = (fields: LogFields): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${oneLine(key)}=${typeof value === 'string' ? quoted(value) : value}`)
    .join('');

function quoted(value: string): string {
  const cut =
    value.length <= maxFieldLength
      ? value
      : `${value.slice(0, maxFieldLength)}… (${value.length - maxFieldLength} more)`;
  return oneLine(JSON.stringify(cut));
}

/** Control and format characters, line and paragraph separators, halves of surrogate pairs. */
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** A terminal or a reader of the log must not take a value for another line, or for a command. */
const oneLine = (text: string): string =>
  text.replaceAll(
    invisible,
    each => `\\u${(each.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
