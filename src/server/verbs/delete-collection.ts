import { isStatusError } from '../../machinery/status.ts';
import type { RequestContext, VerbServices } from '../operation/operation.ts';
import { respondList } from '../negotiation/encode.ts';
import { nextTurn } from '../turns.ts';
import { deleteOptionsOf } from './delete-options.ts';
import { admitAndDelete } from './delete.ts';
import { selectionOf } from './query-options.ts';

export async function deleteCollection(
  context: RequestContext,
  services: VerbServices,
): Promise<void> {
  const { descriptor, objects } = services.entry;
  const options = await deleteOptionsOf(context.body, context);
  const selection = selectionOf(context.operation);
  const page = await objects.list({
    ...selection,
    signal: context.signal,
    turn: () => nextTurn(context.client.key),
  });
  const isSelective = selection.filter !== undefined || selection.name !== undefined;
  // What a damaged object would match cannot be told: it goes only with all the others.
  const damaged = isSelective ? [] : (page.damaged ?? []);
  for (const target of [...page.items, ...damaged]) {
    await admitAndDelete(context, services, options, target).catch((error: unknown) => {
      if (!isStatusError(error, 'NotFound')) throw error;
    });
  }
  await respondList(context, descriptor, page);
}
