import { isNotFoundReference } from '../references/not-found-reference.ts';
import { secretData } from '../references/object-data.ts';
import { projectKeys, type KeySelection, type Payload } from './payload.ts';
import type { ContentPlugin, Sources } from './plugin.ts';

export const secretPlugin: ContentPlugin = {
  folder: 'kubernetes.io~secret',
  medium: 'tmpfs',
  async collect({ secret = {} }, sources) {
    return { payload: await secretFiles(secret.secretName ?? '', secret, sources) };
  },
};

/** The files of a Secret; none where it is optional and not there. */
export async function secretFiles(
  name: string,
  selection: KeySelection,
  { pod, references }: Sources,
): Promise<Payload> {
  try {
    const secret = await references.getSecret(pod.metadata.namespace ?? '', name);
    return projectKeys(secretData(secret), selection, 'secret');
  } catch (error) {
    if (selection.optional === true && isNotFoundReference(error)) return new Map();
    throw error;
  }
}
