import {
  selfSubjectReviewResource,
  tokenReviewResource,
  type TokenReview,
} from '../../api/authentication.k8s.io/v1/reviews.ts';
import {
  localSubjectAccessReviewResource,
  selfSubjectAccessReviewResource,
  selfSubjectRulesReviewResource,
  subjectAccessReviewResource,
  type SelfSubjectAccessReview,
  type SelfSubjectRulesReview,
  type SubjectAccessReview,
} from '../../api/authorization.k8s.io/v1/reviews.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import {
  apiVersionOf,
  type ResourceDescriptor,
  type ResourceRef,
} from '../../machinery/resource.ts';
import { badRequest, invalidObject } from '../../machinery/status.ts';
import type { UserInfo } from '../authn/authenticator.ts';
import { tokenIssuer, type ServiceAccountTokens } from '../authn/service-account-tokens.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import type { RuleResolver } from '../authz/rule-resolver.ts';
import type { RequestContext, ResourceHandlers } from '../operation/operation.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { respondValue } from '../negotiation/encode.ts';
import { writeOptionsOf } from '../verbs/write-options.ts';
import { placeObject } from '../verbs/write-rules.ts';
import { validateAccessReview, validateSubject } from './validate-access-review.ts';

export interface ReviewServices {
  readonly authorize: Authorizer;
  readonly rulesFor: RuleResolver;
  readonly tokens: ServiceAccountTokens;
}

interface Question {
  readonly body: KubeObject;
  readonly user: UserInfo;
  readonly descriptor: ResourceDescriptor;
  readonly services: ReviewServices;
}
type Answer = (question: Question) => object | Promise<object>;

/** Answers a body with itself and its status. */
async function review(
  context: RequestContext,
  descriptor: ResourceDescriptor,
  { answer, services }: { readonly answer: Answer; readonly services: ReviewServices },
): Promise<void> {
  const body = (await decodeBody(
    context.body,
    { apiVersion: apiVersionOf(descriptor), kind: descriptor.kind, schema: descriptor.schema },
    {
      client: context.client,
      contentType: context.headers['content-type'],
      fieldValidation: writeOptionsOf(context.query, 'CreateOptions').fieldValidation,
      warnings: context.warnings,
    },
  )) as unknown as KubeObject;
  placeObject(body, descriptor, context);
  const { user } = context;
  const status = await answer({ body, user, descriptor, services });
  await respondValue(context, 201, { ...body, status });
}

const answerTokenReview: Answer = async ({ body, services }) => {
  const { token = '', audiences = [] } = (body as TokenReview).spec ?? {};
  try {
    const verified = await services.tokens.verify(
      token,
      audiences.length === 0 ? [tokenIssuer] : audiences,
    );
    const { name, uid, groups, extra } = verified.user;
    return {
      authenticated: true,
      user: { username: name, uid, groups, extra },
      audiences: verified.audiences,
    };
  } catch {
    return { authenticated: false, user: {}, error: 'invalid bearer token' };
  }
};

const answerSelfSubjectReview: Answer = ({ user }) => ({
  userInfo: { username: user.name, uid: user.uid, groups: user.groups, extra: user.extra },
});

const answerSelfSubjectAccessReview: Answer = ({ body, user, descriptor, services }) => {
  const review = body as SelfSubjectAccessReview;
  const errors = validateAccessReview(review);
  if (errors.length > 0) throw invalidObject(descriptor, '', errors);
  return decide(review.spec, user, services.authorize);
};

const answerSelfSubjectRulesReview: Answer = ({ body, user, services }) => {
  const { namespace = '' } = (body as SelfSubjectRulesReview).spec ?? {};
  if (namespace === '') throw badRequest('no namespace on request');
  const { rules, incomplete, problem } = services.rulesFor(user, namespace);
  return {
    resourceRules: rules
      .filter(each => (each.resources ?? []).length > 0)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames === undefined ? {} : { resourceNames }),
      })),
    nonResourceRules: rules
      .filter(each => (each.nonResourceURLs ?? []).length > 0)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete,
    ...(problem === '' ? {} : { evaluationError: problem }),
  };
};

const answerSubjectAccessReview: Answer = ({ body, descriptor, services }) => {
  const review = body as SubjectAccessReview;
  const errors = [...validateAccessReview(review), ...validateSubject(review)];
  if (errors.length > 0) throw invalidObject(descriptor, '', errors);
  const { user = '', groups = [], uid, extra } = review.spec;
  const subject = {
    name: user,
    groups,
    ...(uid === undefined ? {} : { uid }),
    ...(extra === undefined ? {} : { extra }),
  };
  return decide(review.spec, subject, services.authorize);
};

const answers: ReadonlyMap<ResourceRef, Answer> = new Map<ResourceRef, Answer>([
  [tokenReviewResource, answerTokenReview],
  [selfSubjectReviewResource, answerSelfSubjectReview],
  [selfSubjectAccessReviewResource, answerSelfSubjectAccessReview],
  [selfSubjectRulesReviewResource, answerSelfSubjectRulesReview],
  [subjectAccessReviewResource, answerSubjectAccessReview],
  [localSubjectAccessReviewResource, answerSubjectAccessReview],
]);

/** What answers each of them. */
export const reviewHandlers = (
  services: ReviewServices,
): ReadonlyMap<ResourceRef, ResourceHandlers> =>
  new Map(
    Array.from(answers, ([resource, answer]) => [
      resource,
      { review: (context, descriptor) => review(context, descriptor, { answer, services }) },
    ]),
  );

function decide(
  spec: SelfSubjectAccessReview['spec'],
  user: UserInfo,
  authorize: Authorizer,
): object {
  const { resourceAttributes: resource, nonResourceAttributes: other } = spec;
  const { decision, reason } = authorize({
    user,
    isResource: resource !== undefined,
    verb: resource?.verb ?? other?.verb ?? '',
    path: other?.path ?? '',
    group: resource?.group ?? '',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    namespace: resource?.namespace ?? '',
    name: resource?.name ?? '',
  });
  return {
    allowed: decision === 'allow',
    ...(decision === 'deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
  };
}
