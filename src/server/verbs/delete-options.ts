import { invalid, notSupported, path } from '../../machinery/field-error.ts';
import { DeleteOptionsSchema, type DeleteOptionsBody } from '../../machinery/options.ts';
import type { RequestContext } from '../operation/operation.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { booleanOf, integerOf, type Query } from '../http/query.ts';
import { invalidOptions } from './query-options.ts';
import { validateDryRun } from './write-options.ts';

/** From the body, or from the query where there is none. @throws StatusError Invalid, BadRequest */
export async function deleteOptionsOf(
  body: Buffer,
  context: RequestContext,
): Promise<DeleteOptionsBody> {
  const options = body.length > 0 ? await optionsIn(body, context) : optionsOf(context.query);
  return checkedDeleteOptions(options, context.query);
}

/** With the `dryRun` of the query. @throws StatusError Invalid */
export function checkedDeleteOptions(options: DeleteOptionsBody, query: Query): DeleteOptionsBody {
  const dryRun = [...new Set([...query.getAll('dryRun'), ...(options.dryRun ?? [])])];
  const { orphanDependents, propagationPolicy } = options;
  const at = path('propagationPolicy');
  const errors = [
    ...(orphanDependents !== undefined && propagationPolicy !== undefined
      ? [
          invalid(
            at,
            propagationPolicy,
            'orphanDependents and deletionPropagation cannot be both set',
          ),
        ]
      : []),
    ...(propagationPolicy === undefined || policies.includes(propagationPolicy)
      ? []
      : [notSupported(at, propagationPolicy, [...policies, 'nil'])]),
    ...validateDryRun(dryRun),
  ];
  if (errors.length > 0) throw invalidOptions('DeleteOptions', errors);
  return { ...options, dryRun };
}

const policies = ['Foreground', 'Background', 'Orphan'];

const optionsIn = (body: Buffer, { client, headers }: RequestContext): Promise<DeleteOptionsBody> =>
  decodeBody(
    body,
    { apiVersion: apiVersionIn(body), kind: 'DeleteOptions', schema: DeleteOptionsSchema },
    { client, contentType: headers['content-type'], fieldValidation: 'Ignore', warnings: [] },
  );

function optionsOf(query: Query): DeleteOptionsBody {
  const seconds = integerOf(query, 'gracePeriodSeconds');
  const policy = query.get('propagationPolicy');
  return {
    ...(seconds === undefined ? {} : { gracePeriodSeconds: seconds }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(!query.has('orphanDependents')
      ? {}
      : { orphanDependents: booleanOf(query, 'orphanDependents') }),
  };
}

/** DeleteOptions is served in every group's version. */
const apiVersionIn = (body: Buffer): string =>
  /"apiVersion"\s*:\s*"([^"]+)"/.exec(body.toString())?.[1] ?? 'v1';
