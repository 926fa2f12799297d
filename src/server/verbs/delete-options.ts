import { invalid, notSupported, path } from '../../machinery/field-error.ts';
import { DeleteOptionsSchema, type DeleteOptionsBody } from '../../machinery/options.ts';
import type { RequestContext } from '../operation/operation.ts';
import { declaredApiVersion } from '../negotiation/declared-api-version.ts';
import { booleanOf, integerOf, type Query } from '../http/query.ts';
import { decodedBody } from './decoded-body.ts';
import { invalidOptions } from './query-options.ts';
import { validateDryRun } from './write-options.ts';

/** From the body, or from the query where there is none. @throws StatusError Invalid, BadRequest */
export async function deleteOptionsOf(context: RequestContext): Promise<DeleteOptionsBody> {
  const options = context.body.length > 0 ? await optionsIn(context) : optionsOf(context.query);
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

const optionsIn = (context: RequestContext): Promise<DeleteOptionsBody> => {
  // DeleteOptions is a kind of every group and version.
  const apiVersion = declaredApiVersion(context.body, context.headers['content-type']) || 'v1';
  return decodedBody(
    context,
    { apiVersion, kind: 'DeleteOptions', schema: DeleteOptionsSchema },
    { fieldValidation: 'Ignore' },
  );
};

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
