import { readFile } from 'node:fs/promises';

/** Whether the kernel enforces AppArmor profiles. */
export const hasAppArmor = async (): Promise<boolean> =>
  (await readFile('/sys/module/apparmor/parameters/enabled', 'utf8').catch(() => ''))
    .trim()
    .startsWith('Y');
