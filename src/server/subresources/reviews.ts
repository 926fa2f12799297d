import type {
  SelfSubjectAccessReview,
  SubjectAccessReview,
} from '../../api/authorization.k8s.io/v1/reviews.ts';
import type { TokenReview } from '../../api/authentication.k8s.io/v1/reviews.ts';
import { apiVersionOf, type ResourceDescriptor } from '../../machinery/resource.ts';
import type { UserInfo } from '../authn/authenticator.ts';
import { tokenIssuer, type ServiceAccountTokens } from '../authn/service-account-tokens.ts';
import type { Attributes, Authorizer } from '../authz/authorizer.ts';
import { readBody, type RequestContext } from '../http/context.ts';
import { decodeBody } from '../negotiation/decode-body.ts';
import { respondValue } from '../negotiation/encode.ts';
import { writeOptionsOf } from '../verbs/write-options.ts';

export interface ReviewServices {
  readonly authorize: Authorizer;
  readonly tokens: ServiceAccountTokens;
}

type Answer = (
  body: Record<string, unknown>,
  context: RequestContext,
  services: ReviewServices,
) => Promise<object>;

/** Resources that are only asked: each answers its own body with a status. */
export async function review(
  context: RequestContext,
  descriptor: ResourceDescriptor,
  services: ReviewServices,
): Promise<void> {
  const body = decodeBody(
    await readBody(context.request),
    { apiVersion: apiVersionOf(descriptor), kind: descriptor.kind, schema: descriptor.schema },
    {
      contentType: context.headers['content-type'],
      fieldValidation: writeOptionsOf(context.query, 'CreateOptions').fieldValidation,
      warnings: context.warnings,
    },
  );
  const answer = answers[descriptor.plural];
  const status = answer === undefined ? {} : await answer(body, context, services);
  await respondValue(context, 201, { ...body, metadata: body['metadata'] ?? {}, status });
}

const answers: Readonly<Record<string, Answer>> = {
  async tokenreviews(body, _context, { tokens }) {
    const { token = '', audiences = [] } = (body as unknown as TokenReview).spec ?? {};
    try {
      const verified = await tokens.verify(
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
  },
  selfsubjectreviews: (_body, { user }) =>
    Promise.resolve({
      userInfo: { username: user.name, uid: user.uid, groups: user.groups, extra: user.extra },
    }),
  selfsubjectaccessreviews: (body, { user }, { authorize }) =>
    Promise.resolve(
      decide((body as unknown as SelfSubjectAccessReview).spec ?? {}, user, authorize),
    ),
  subjectaccessreviews: (body, _context, { authorize }) =>
    Promise.resolve(decideFor(body as unknown as SubjectAccessReview, authorize)),
  localsubjectaccessreviews: (body, _context, { authorize }) =>
    Promise.resolve(decideFor(body as unknown as SubjectAccessReview, authorize)),
  selfsubjectrulesreviews: (_body, { user }) => {
    const all = user.groups.includes('system:masters');
    return Promise.resolve({
      resourceRules: all
        ? [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]
        : [
            {
              verbs: ['create'],
              apiGroups: ['authorization.k8s.io'],
              resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
            },
          ],
      nonResourceRules: [
        {
          verbs: [all ? '*' : 'get'],
          nonResourceURLs: all
            ? ['*']
            : ['/api', '/apis', '/healthz', '/livez', '/openapi', '/readyz', '/version'],
        },
      ],
      incomplete: false,
    });
  },
};

function decideFor({ spec }: SubjectAccessReview, authorize: Authorizer): object {
  const { user = '', groups = [], uid } = spec;
  return decide(spec, { name: user, groups, ...(uid === undefined ? {} : { uid }) }, authorize);
}

function decide(
  spec: SelfSubjectAccessReview['spec'],
  user: UserInfo,
  authorize: Authorizer,
): object {
  const { resourceAttributes: resource, nonResourceAttributes: other } = spec;
  const attributes: Attributes = {
    user,
    isResource: resource !== undefined,
    verb: resource?.verb ?? other?.verb ?? '',
    path: other?.path ?? '',
    group: resource?.group ?? '',
    resource: resource?.resource ?? '',
    subresource: resource?.subresource ?? '',
    namespace: resource?.namespace ?? '',
    name: resource?.name ?? '',
  };
  const decision = authorize(attributes);
  return { allowed: decision === 'allow', ...(decision === 'deny' ? { denied: true } : {}) };
}
