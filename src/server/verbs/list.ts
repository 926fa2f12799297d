import type { VerbHandler } from '../operation/operation.ts';
import { integerOf } from '../http/query.ts';
import { nextTurn } from '../turns.ts';
import { checkVersionMatch, selectionOf } from './query-options.ts';

export const list: VerbHandler = async (context, { entry }) => {
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
  return { type: 'list', page };
};
