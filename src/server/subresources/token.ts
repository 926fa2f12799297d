import {
  TokenRequestSchema,
  type TokenRequest,
} from '../../api/authentication.k8s.io/v1/reviews.ts';
import { invalid, path } from '../../machinery/field-error.ts';
import { conflict, invalidObject, notFound } from '../../machinery/status.ts';
import {
  tokenIssuer,
  type ServiceAccountTokens,
  type UidLookup,
} from '../authn/service-account-tokens.ts';
import { readBody } from '../http/context.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { respondValue } from '../negotiation/encode.ts';
import { writeOptionsOf } from '../verbs/write-options.ts';
import type { SubresourceHandler } from './handlers.ts';

/** `kubectl create token`, and the agent's for projected volumes. */
export function tokenHandler(tokens: ServiceAccountTokens, uidOf: UidLookup): SubresourceHandler {
  return async (context, { entry }) => {
    const { namespace, name } = context.info;
    const account = (await entry.objects.get(namespace, name)).object();
    const request = decodeBody(
      await readBody(context.request),
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', schema: TokenRequestSchema },
      {
        contentType: context.headers['content-type'],
        fieldValidation: writeOptionsOf(context.query, 'CreateOptions').fieldValidation,
        warnings: context.warnings,
      },
    ) as unknown as TokenRequest;
    const { audiences = [], expirationSeconds = 3600, boundObjectRef } = request.spec ?? {};
    mustLastLawfully(expirationSeconds);
    const bound =
      boundObjectRef === undefined
        ? undefined
        : await resolveBound(boundObjectRef, namespace, uidOf);
    const audience = audiences.length === 0 ? [tokenIssuer] : audiences;
    const { token, expiresAtMs } = await tokens.sign({
      namespace,
      name,
      uid: account.metadata.uid ?? '',
      audiences: audience,
      expirationSeconds,
      ...(bound === undefined ? {} : { boundTo: bound }),
    });
    await respondValue(context, 201, {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace, creationTimestamp: `${new Date().toISOString().slice(0, 19)}Z` },
      spec: { audiences: audience, expirationSeconds, boundObjectRef: boundObjectRef ?? null },
      status: {
        token,
        expirationTimestamp: `${new Date(expiresAtMs).toISOString().slice(0, 19)}Z`,
      },
    });
  };
}

function mustLastLawfully(seconds: number): void {
  const at = path('spec.expirationSeconds');
  const kind = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
  if (seconds < 600) {
    throw invalidObject(kind, '', [
      invalid(at, seconds, 'may not specify a duration less than 10 minutes'),
    ]);
  }
  if (seconds > 2 ** 32) {
    throw invalidObject(kind, '', [
      invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds'),
    ]);
  }
}

type BoundReference = NonNullable<TokenRequest['spec']['boundObjectRef']>;

async function resolveBound(
  { kind = '', name = '', uid = '' }: BoundReference,
  namespace: string,
  uidOf: UidLookup,
): Promise<{ kind: 'Pod' | 'Secret' | 'Node'; name: string; uid: string }> {
  if (kind !== 'Pod' && kind !== 'Secret' && kind !== 'Node') {
    throw invalidObject({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [
      invalid(path('spec.boundObjectRef'), kind, 'cannot bind to object of this kind'),
    ]);
  }
  const resource = { group: '', plural: `${kind.toLowerCase()}s` };
  const found = await uidOf(kind, namespace, name);
  if (found === undefined) throw notFound(resource, name);
  if (uid !== '' && uid !== found) {
    throw conflict(
      resource,
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  return { kind, name, uid: found };
}
