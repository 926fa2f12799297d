import type { ResourceDescriptor } from '../../machinery/resource.ts';
import {
  subjectAccessReviewResource,
  localSubjectAccessReviewResource,
  selfSubjectAccessReviewResource,
  selfSubjectRulesReviewResource,
} from './v1/reviews.ts';

export const authorizationResources: readonly ResourceDescriptor[] = [
  subjectAccessReviewResource,
  localSubjectAccessReviewResource,
  selfSubjectAccessReviewResource,
  selfSubjectRulesReviewResource,
];
