import type { AdmissionRequest } from '../admission/admission.ts';
import type { RequestContext } from '../operation/operation.ts';
import { addWarnings } from './write-rules.ts';

type WriteToAdmit = Pick<AdmissionRequest, 'operation' | 'object' | 'old' | 'dryRun'> &
  Partial<Pick<AdmissionRequest, 'name' | 'namespace'>>;

/** What admission decides about. Name and namespace are the operation's where the write does not say otherwise. */
export const admissionRequest = (
  context: RequestContext,
  { name, namespace, ...write }: WriteToAdmit,
): AdmissionRequest => ({
  ...write,
  descriptor: context.operation.entry.descriptor,
  subresource: context.operation.subresource,
  namespace: namespace ?? context.operation.namespace,
  name: name ?? context.operation.name,
  user: context.user,
  warn: text => addWarnings(context, [text]),
});
