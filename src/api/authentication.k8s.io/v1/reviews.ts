import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import {
  boolean,
  int64,
  list,
  map,
  object,
  optional,
  required,
  string,
  time,
  type Infer,
} from '../../../machinery/schema.ts';

const group = 'io.k8s.api.authentication.v1';

const UserInfoSchema = object(`${group}.UserInfo`, 'Who a request comes from.', {
  username: optional(1, string(), 'Name of the user.'),
  uid: optional(2, string(), 'What tells the user from others of that name.'),
  groups: optional(3, list(string()), 'Groups the user is in.'),
  extra: optional(4, map(list(string())), 'What else the authenticator knows.'),
});

export const TokenReviewSchema = kindSchema(
  `${group}.TokenReview`,
  'TokenReview asks whose a token is.',
  {
    spec: required(
      2,
      object(`${group}.TokenReviewSpec`, 'The token.', {
        token: optional(1, string(), 'The bearer token.'),
        audiences: optional(2, list(string()), 'Who the token is meant for.'),
      }),
      'What is asked.',
    ),
    status: optional(
      3,
      object(`${group}.TokenReviewStatus`, 'Whose it is.', {
        authenticated: optional(1, boolean(), 'Whether the token is good.'),
        user: optional(2, UserInfoSchema, 'Whose it is.'),
        error: optional(3, string(), 'Why it could not be checked.'),
        audiences: optional(4, list(string()), 'Those of the audiences that it is good for.'),
      }),
      'The answer.',
    ),
  },
);
export type TokenReview = Infer<typeof TokenReviewSchema>;

export const SelfSubjectReviewSchema = kindSchema(
  `${group}.SelfSubjectReview`,
  'SelfSubjectReview asks who the asker is.',
  {
    status: optional(
      2,
      object(`${group}.SelfSubjectReviewStatus`, 'Who the asker is.', {
        userInfo: optional(1, UserInfoSchema, 'Who the asker is.'),
      }),
      'The answer.',
    ),
  },
);
export type SelfSubjectReview = Infer<typeof SelfSubjectReviewSchema>;

export const TokenRequestSchema = kindSchema(
  `${group}.TokenRequest`,
  'TokenRequest asks for a token of a service account.',
  {
    spec: required(
      2,
      object(`${group}.TokenRequestSpec`, 'What token is wanted.', {
        audiences: optional(1, list(string()), 'Who the token is for; the API itself if empty.', {
          listType: 'atomic',
        }),
        boundObjectRef: optional(
          3,
          object(`${group}.BoundObjectReference`, 'What the token lives and dies with.', {
            kind: optional(1, string(), 'Pod, Node or Secret.'),
            apiVersion: optional(2, string(), 'v1.'),
            name: optional(3, string(), 'Its name.'),
            uid: optional(4, string(), 'Its UID.'),
          }),
          'The token is good only while this object exists.',
        ),
        expirationSeconds: optional(4, int64(), 'How long it should last; an hour by default.'),
      }),
      'What is asked.',
    ),
    status: optional(
      3,
      object(`${group}.TokenRequestStatus`, 'The token.', {
        token: required(1, string(), 'The token.'),
        expirationTimestamp: required(2, time(), 'When it ends.'),
      }),
      'The answer.',
    ),
  },
);
export type TokenRequest = Infer<typeof TokenRequestSchema>;

const review = {
  group: 'authentication.k8s.io',
  version: 'v1',
  namespaced: false,
  stored: false,
  verbs: ['create'],
  columns: [],
} as const;

export const tokenReviewResource: ResourceDescriptor<TokenReview> = {
  ...review,
  kind: 'TokenReview',
  plural: 'tokenreviews',
  singular: 'tokenreview',
  schema: TokenReviewSchema,
};

export const selfSubjectReviewResource: ResourceDescriptor<SelfSubjectReview> = {
  ...review,
  kind: 'SelfSubjectReview',
  plural: 'selfsubjectreviews',
  singular: 'selfsubjectreview',
  schema: SelfSubjectReviewSchema,
};
