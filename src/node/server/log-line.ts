/** A line of a CRI log. */
export interface LogLine {
  /** RFC 3339 with nanoseconds, in UTC. */
  readonly time: string;
  readonly stream: string;
  /** The runtime cut a long line: more of it follows. */
  readonly partial: boolean;
  readonly text: string;
}

/** `<time> stdout|stderr P|F <text>`; undefined for anything else. */
export function parseLogLine(line: string): LogLine | undefined {
  const match = /^(\S+) (stdout|stderr) ([^ ]+) ?(.*)$/s.exec(line);
  if (match === null) return undefined;
  const [, time = '', stream = '', tags = '', text = ''] = match;
  return { time, stream, partial: tags.split(':').includes('P'), text };
}
