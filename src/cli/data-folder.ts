import { mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { UserError } from './user-error.ts';

/**
 * Makes the data folder, or checks that the one that is there is nobody else's to read or write, as ssh does
 * with its keys: everything in it may be read by whoever reads its keys.
 * @throws UserError that says what is wrong and which command mends it
 */
export function prepareDataFolder(dataDir: string): void {
  makeFolder(dataDir, dataDir);
  // A folder of something else would get the advice to lock everybody out of it.
  const names = readdirSync(dataDir).filter(name => name !== 'lost+found');
  if (names.length > 0 && !names.some(name => knownNames.has(name.replace(/\.next$/, ''))))
    throw new UserError(
      `--data-dir ${shown(dataDir)} holds files that are not Keylet's. Choose a folder that is empty or does not exist yet`,
    );
  const problems = privateFiles(dataDir).flatMap(problemsOf);
  const [first] = problems;
  if (first !== undefined) throw new UserError(`${first.message}. Run: ${remedyOf(problems)}`);
}

const knownNames = new Set([
  'keys',
  'pki',
  'store',
  'containerd',
  'pod-network.json',
  'keylet.log',
]);

/** One level after the other: Node's own recursion never ends below /proc. */
function makeFolder(folder: string, dataDir: string): void {
  try {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return;
    const parent = path.dirname(folder);
    if (parent !== folder) makeFolder(parent, dataDir);
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code = '' } = error as NodeJS.ErrnoException;
    throw new UserError(
      `--data-dir ${shown(dataDir)}: the folder ${shown(folder)} cannot be made (${code}). Choose one on a file system that can be written to`,
      { cause: error },
    );
  }
}

/** The folder itself, and what in it holds keys. */
function privateFiles(dataDir: string): string[] {
  const namesIn = (folder: string): string[] => {
    const is = statSync(path.join(dataDir, folder), { throwIfNoEntry: false });
    return is?.isDirectory() === true
      ? readdirSync(path.join(dataDir, folder)).map(name => path.join(folder, name))
      : [];
  };
  return [
    '.',
    'keys',
    ...namesIn('keys'),
    'pki',
    ...namesIn('pki').filter(name => name.endsWith('.key')),
    'store',
    'store/data.key',
    'admin.kubeconfig',
  ].map(name => path.join(dataDir, name));
}

interface Problem {
  readonly message: string;
  readonly command: string;
  readonly file: string;
}

/** One line for all of them. */
function remedyOf(problems: readonly Problem[]): string {
  const commands = [...new Set(problems.map(({ command }) => command))];
  return commands
    .map(command => {
      const files = problems.filter(each => each.command === command);
      return [command, ...files.map(({ file }) => shellWord(file))].join(' ');
    })
    .join(' && ');
}

function problemsOf(file: string): Problem[] {
  const is = statSync(file, { throwIfNoEntry: false });
  if (is === undefined) return [];
  const problems: Problem[] = [];
  const own = process.getuid?.() ?? 0;
  if (is.uid !== own)
    problems.push({
      message: `${shown(file)} belongs to another user (uid ${is.uid})`,
      command: `chown ${own}`,
      file,
    });
  const mode = is.mode & 0o777;
  if ((mode & 0o077) !== 0)
    problems.push({
      message: `permissions 0${mode.toString(8)} of ${shown(file)} are too open: others may use what it holds`,
      command: is.isDirectory() ? 'chmod 700' : 'chmod 600',
      file,
    });
  return problems;
}

/** A path within a sentence, in one line. */
const shown = (file: string): string =>
  /^[\w./+@%:,~-]+$/.test(file) ? file : JSON.stringify(file);

/** A path as a word of a command for the shell. */
export const shellWord = (word: string): string =>
  /^[\w./+@%:,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
