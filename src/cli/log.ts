import type { LogFields, Logger } from '../machinery/log.ts';

const levels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof levels)[number];

/** One line an entry: time, level, message, key=value. */
export function createLogger(
  level: LogLevel,
  write: (line: string) => void = line => process.stderr.write(line),
): Logger {
  const entry =
    (of: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (levels.indexOf(of) < levels.indexOf(level)) return;
      const pairs = Object.entries(fields)
        .filter(([, value]) => value !== undefined)
        .map(
          ([key, value]) => ` ${key}=${typeof value === 'string' ? JSON.stringify(value) : value}`,
        );
      write(`${new Date().toISOString()} ${of.padEnd(5)} ${message}${pairs.join('')}\n`);
    };
  return { debug: entry('debug'), info: entry('info'), warn: entry('warn'), error: entry('error') };
}
