import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { root } from './keylet.ts';

/** A manifest of `examples/`, unchanged. */
export const example = (file: string): Promise<string> =>
  readFile(path.join(root, 'examples', file), 'utf8');
