/** A file, folder or link of a tar archive. */
export interface TarEntry {
  /** Relative path; folders end in `/`. */
  readonly path: string;
  readonly content?: Buffer;
  /** Permission bits; default 0644, of folders 0755. */
  readonly mode?: number;
  /** Target of a symbolic link. */
  readonly linkTo?: string;
}

const block = 512;

/** A ustar archive, the same bytes for the same entries: owner root, time 0. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const parts = entries.flatMap(entry => {
    const content = entry.content ?? Buffer.alloc(0);
    const padding = Buffer.alloc((block - (content.length % block)) % block);
    return [header(entry, content.length), content, padding];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header({ path, mode, linkTo }: TarEntry, size: number): Buffer {
  const bytes = Buffer.alloc(block);
  const folder = path.endsWith('/');
  const [name, prefix] = splitPath(path);
  const octal = (value: number, length: number): string =>
    value.toString(8).padStart(length - 1, '0');
  const put = (text: string, at: number): void => void bytes.write(text, at);
  put(name, 0);
  put(octal(mode ?? (folder ? 0o755 : 0o644), 8), 100);
  put(octal(0, 8), 108);
  put(octal(0, 8), 116);
  put(octal(size, 12), 124);
  put(octal(0, 12), 136);
  put(' '.repeat(8), 148);
  put(linkTo !== undefined ? '2' : folder ? '5' : '0', 156);
  put(linkTo ?? '', 157);
  put('ustar\u000000', 257);
  put(prefix, 345);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  put(`${octal(sum, 7)}\u0000 `, 148);
  return bytes;
}

/** Names over 100 bytes are split at a slash. */
function splitPath(path: string): [name: string, prefix: string] {
  if (Buffer.byteLength(path) <= 100) return [path, ''];
  const cut = path.lastIndexOf('/', 154);
  return [path.slice(cut + 1), path.slice(0, cut)];
}
