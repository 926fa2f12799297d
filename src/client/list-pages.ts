import type { KubeList, KubeObject } from '../machinery/meta.ts';
import type { ListOptions, ResourceReader } from './client.ts';
import { AnswerTooLargeError } from './transport.ts';

/** No page is larger, unless a single object is. */
const maxPageBytes = 8 * 1024 * 1024;
const maxPageSize = 500;

/**
 * The pages of a list. However large the objects are, no page holds much more memory than a small one:
 * a page that would be too large is asked for again with fewer objects.
 */
export async function* listPages<T extends KubeObject>(
  client: Pick<ResourceReader<T>, 'list'>,
  options: Omit<ListOptions, 'limit' | 'continue' | 'maxBytes'>,
): AsyncGenerator<KubeList<T>> {
  let limit = maxPageSize;
  let token = '';
  for (;;) {
    const page = await client
      .list({
        ...options,
        limit,
        continue: token,
        // A single object that is larger cannot be had in parts.
        ...(limit === 1 ? {} : { maxBytes: maxPageBytes }),
      })
      .catch((error: unknown) => {
        if (!(error instanceof AnswerTooLargeError)) throw error;
      });
    if (page === undefined) {
      limit = Math.ceil(limit / 4);
      continue;
    }
    yield page;
    token = page.metadata.continue ?? '';
    if (token === '') return;
    limit = Math.min(maxPageSize, limit + Math.ceil(limit / 8));
  }
}
