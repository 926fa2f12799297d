import { kindSchema } from '../../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../../machinery/resource.ts';
import {
  boolean,
  list,
  map,
  object,
  optional,
  required,
  string,
  type Infer,
} from '../../../machinery/schema.ts';

const group = 'io.k8s.api.authorization.v1';

const resourceAttributes = optional(
  1,
  object(`${group}.ResourceAttributes`, 'What is to be done to which resource.', {
    namespace: optional(1, string(), 'The namespace; empty for all, or for none.'),
    verb: optional(2, string(), 'get, list, create and so on; * for all.'),
    group: optional(3, string(), 'API group of the resource.'),
    version: optional(4, string(), 'API version of the resource.'),
    resource: optional(5, string(), 'The resource.'),
    subresource: optional(6, string(), 'The subresource.'),
    name: optional(7, string(), 'The name of one object.'),
  }),
  'What is to be done to which resource.',
);
const nonResourceAttributes = optional(
  2,
  object(`${group}.NonResourceAttributes`, 'What is to be done to which path.', {
    path: optional(1, string(), 'The path.'),
    verb: optional(2, string(), 'The HTTP method in small letters.'),
  }),
  'What is to be done to which path.',
);
const status = optional(
  3,
  object(`${group}.SubjectAccessReviewStatus`, 'Whether it is allowed.', {
    allowed: required(1, boolean(), 'Whether it is allowed.'),
    reason: optional(2, string(), 'Why.'),
    evaluationError: optional(3, string(), 'What went wrong while it was decided.'),
    denied: optional(4, boolean(), 'Whether it was denied for good.'),
  }),
  'The answer.',
);
const SubjectSpecSchema = object(`${group}.SubjectAccessReviewSpec`, 'Who wants to do what.', {
  resourceAttributes,
  nonResourceAttributes,
  user: optional(3, string(), 'The user.'),
  groups: optional(4, list(string()), 'The groups that the user is in.'),
  extra: optional(5, map(list(string())), 'What else is known of the user.'),
  uid: optional(6, string(), 'UID of the user.'),
});

export const SubjectAccessReviewSchema = kindSchema(
  `${group}.SubjectAccessReview`,
  'SubjectAccessReview asks whether a user may do something.',
  { spec: required(2, SubjectSpecSchema, 'What is asked.'), status },
);
export type SubjectAccessReview = Infer<typeof SubjectAccessReviewSchema>;

const LocalSubjectAccessReviewSchema = kindSchema(
  `${group}.LocalSubjectAccessReview`,
  'LocalSubjectAccessReview asks the same within a namespace.',
  { spec: required(2, SubjectSpecSchema, 'What is asked.'), status },
);

export const SelfSubjectAccessReviewSchema = kindSchema(
  `${group}.SelfSubjectAccessReview`,
  'SelfSubjectAccessReview asks whether the asker may do something.',
  {
    spec: required(
      2,
      object(`${group}.SelfSubjectAccessReviewSpec`, 'What the asker wants to do.', {
        resourceAttributes,
        nonResourceAttributes,
      }),
      'What is asked.',
    ),
    status,
  },
);
export type SelfSubjectAccessReview = Infer<typeof SelfSubjectAccessReviewSchema>;

const SelfSubjectRulesReviewSchema = kindSchema(
  `${group}.SelfSubjectRulesReview`,
  'SelfSubjectRulesReview asks what the asker may do in a namespace.',
  {
    spec: required(
      2,
      object(`${group}.SelfSubjectRulesReviewSpec`, 'The namespace.', {
        namespace: optional(1, string(), 'The namespace.'),
      }),
      'What is asked.',
    ),
    status: optional(
      3,
      object(`${group}.SubjectRulesReviewStatus`, 'What the asker may do.', {
        resourceRules: required(
          1,
          list(
            object(`${group}.ResourceRule`, 'What may be done to resources.', {
              verbs: required(1, list(string()), 'What may be done.'),
              apiGroups: optional(2, list(string()), 'In which groups.'),
              resources: optional(3, list(string()), 'To which resources.'),
              resourceNames: optional(4, list(string()), 'To which objects; all if empty.'),
            }),
          ),
          'What may be done to resources.',
        ),
        nonResourceRules: required(
          2,
          list(
            object(`${group}.NonResourceRule`, 'What may be done to paths.', {
              verbs: required(1, list(string()), 'What may be done.'),
              nonResourceURLs: optional(2, list(string()), 'To which paths.'),
            }),
          ),
          'What may be done to paths.',
        ),
        incomplete: required(3, boolean(), 'Whether there may be more.'),
        evaluationError: optional(4, string(), 'What went wrong.'),
      }),
      'The answer.',
    ),
  },
);
export type SelfSubjectRulesReview = Infer<typeof SelfSubjectRulesReviewSchema>;

const review = {
  group: 'authorization.k8s.io',
  version: 'v1',
  namespaced: false,
  stored: false,
  verbs: ['create'],
  columns: [],
} as const;

export const subjectAccessReviewResource: ResourceDescriptor<SubjectAccessReview> = {
  ...review,
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  singular: 'subjectaccessreview',
  schema: SubjectAccessReviewSchema,
};
export const localSubjectAccessReviewResource: ResourceDescriptor<SubjectAccessReview> = {
  ...review,
  kind: 'LocalSubjectAccessReview',
  plural: 'localsubjectaccessreviews',
  singular: 'localsubjectaccessreview',
  namespaced: true,
  schema: LocalSubjectAccessReviewSchema,
};
export const selfSubjectAccessReviewResource: ResourceDescriptor<SelfSubjectAccessReview> = {
  ...review,
  kind: 'SelfSubjectAccessReview',
  plural: 'selfsubjectaccessreviews',
  singular: 'selfsubjectaccessreview',
  schema: SelfSubjectAccessReviewSchema,
};
export const selfSubjectRulesReviewResource: ResourceDescriptor<SelfSubjectRulesReview> = {
  ...review,
  kind: 'SelfSubjectRulesReview',
  plural: 'selfsubjectrulesreviews',
  singular: 'selfsubjectrulesreview',
  schema: SelfSubjectRulesReviewSchema,
};
