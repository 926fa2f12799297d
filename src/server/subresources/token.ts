import { timestamp } from '../../machinery/timestamp.ts';
import {
  TokenRequestSchema,
  type TokenRequest,
} from '../../api/authentication.k8s.io/v1/reviews.ts';
import type { Pod } from '../../api/core/v1/pod.ts';
import { invalid, path } from '../../machinery/field-error.ts';
import { badRequest, conflict, invalidObject, notFound } from '../../machinery/status.ts';
import { mustNotBeDeleted } from '../authn/deleted-object.ts';
import type { ObjectLookup } from '../authn/object-lookup.ts';
import {
  tokenIssuer,
  type ServiceAccountTokens,
  type TokenSubject,
} from '../authn/service-account-tokens.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { respondValue } from '../negotiation/encode.ts';
import { admissionRequest } from '../verbs/admission-request.ts';
import { writeOptionsOf } from '../verbs/write-options.ts';
import type { SubresourceHandler } from '../operation/operation.ts';

/** What an admitted pod's token asks for: the mark by which the server knows that it may live longer. */
const admittedSeconds = 3607;
const extendedSeconds = 365 * 24 * 3600;

/** `kubectl create token`, and the agent's for projected volumes. */
export function tokenHandler(
  tokens: ServiceAccountTokens,
  lookup: ObjectLookup,
  now: () => number = Date.now,
): SubresourceHandler {
  return async (context, { entry, admission }) => {
    const { dryRun, fieldValidation } = writeOptionsOf(context.query, 'CreateOptions');
    const { namespace, name } = context.operation;
    const account = (await entry.objects.get(namespace, name)).object();
    mustNotBeDeleted(account, 'ServiceAccount', now());
    const request = (await decodeBody(
      context.body,
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', schema: TokenRequestSchema },
      {
        client: context.client,
        contentType: context.headers['content-type'],
        fieldValidation,
        warnings: context.warnings,
      },
    )) as unknown as TokenRequest;
    const admitted = admissionRequest(context, {
      operation: 'create',
      object: request,
      old: undefined,
      dryRun,
    });
    await admission.mutate(admitted);
    await admission.validate(admitted);
    const { audiences: asked = [], expirationSeconds = 3600, boundObjectRef } = request.spec ?? {};
    mustLastLawfully(expirationSeconds);
    const bound =
      boundObjectRef === undefined
        ? undefined
        : await resolveBound(boundObjectRef, { namespace, name }, { lookup, nowMs: now() });
    const audiences = asked.length === 0 ? [tokenIssuer] : asked;
    // Programs that read their token once would fail after an hour: they are given a year, as by kube-apiserver.
    const extended =
      bound?.boundTo.kind === 'Pod' &&
      expirationSeconds === admittedSeconds &&
      audiences.every(each => each === tokenIssuer);
    const askedAtMs = now();
    const { token } = await tokens.sign({
      namespace,
      name,
      uid: account.metadata.uid ?? '',
      audiences,
      expirationSeconds: extended ? extendedSeconds : expirationSeconds,
      ...(extended ? { warnAfterSeconds: expirationSeconds } : {}),
      ...bound,
    });
    await respondValue(context, 201, {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: { name, namespace, creationTimestamp: timestamp(askedAtMs) },
      spec: { audiences, expirationSeconds, boundObjectRef: boundObjectRef ?? null },
      status: {
        token,
        expirationTimestamp: timestamp(askedAtMs + expirationSeconds * 1000),
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

/** What the token is to be bound to, and with a pod its node. @throws StatusError */
async function resolveBound(
  { apiVersion = '', kind = '', name = '', uid = '' }: BoundReference,
  account: { readonly namespace: string; readonly name: string },
  { lookup, nowMs }: { readonly lookup: ObjectLookup; readonly nowMs: number },
): Promise<Required<Pick<TokenSubject, 'boundTo'>> & Pick<TokenSubject, 'node'>> {
  if ((kind !== 'Pod' && kind !== 'Secret' && kind !== 'Node') || apiVersion !== 'v1') {
    throw badRequest(`cannot bind token to object of type ${typeText(apiVersion, kind)}`);
  }
  const found = await lookup(kind, kind === 'Node' ? '' : account.namespace, name);
  if (found === undefined) throw notFound({ group: '', plural: `${kind.toLowerCase()}s` }, name);
  mustNotBeDeleted(found, kind, nowMs);
  const { spec } = found as Pod;
  if (kind === 'Pod' && spec.serviceAccountName !== account.name) {
    throw badRequest(
      `cannot bind token for serviceaccount "${account.name}" to pod running with different serviceaccount name.`,
    );
  }
  const foundUid = found.metadata.uid ?? '';
  if (uid !== '' && uid !== foundUid) {
    throw conflict(
      { group: '', plural: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  const boundTo = { kind, name, uid: foundUid } as const;
  if (kind !== 'Pod' || !spec.nodeName) return { boundTo };
  const node = await lookup('Node', '', spec.nodeName);
  return { boundTo, node: { name: spec.nodeName, uid: node?.metadata.uid ?? '' } };
}

/** Go's GroupVersionKind as text. */
function typeText(apiVersion: string, kind: string): string {
  const gv = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  return `${gv}, Kind=${kind}`;
}
