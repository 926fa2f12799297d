import type { RequestContext, VerbServices } from '../operation/operation.ts';
import { integerOf } from '../http/query.ts';
import { respondList } from '../negotiation/encode.ts';
import { nextTurn } from '../turns.ts';
import { checkVersionMatch, selectionOf } from './query-options.ts';

export async function list(context: RequestContext, { entry }: VerbServices): Promise<void> {
  const { operation, query } = context;
  checkVersionMatch(query, false);
  const match = query.get('resourceVersionMatch');
  const page = await entry.objects.list({
    ...selectionOf(operation),
    signal: context.signal,
    turn: () => nextTurn(context.client.key),
    limit: integerOf(query, 'limit') ?? 0,
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    ...(match === 'Exact' || match === 'NotOlderThan' ? { resourceVersionMatch: match } : {}),
  });
  for (const { namespace, name } of page.damaged ?? [])
    context.warnings.push(
      `${entry.descriptor.plural} ${JSON.stringify(namespace === '' ? name : `${namespace}/${name}`)} is left out: its stored value is damaged or cannot be decrypted`,
    );
  await respondList(context, entry.descriptor, page);
}
