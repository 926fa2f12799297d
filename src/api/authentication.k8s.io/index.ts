import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { tokenReviewResource, selfSubjectReviewResource } from './v1/reviews.ts';

export const authenticationResources: readonly ResourceDescriptor[] = [
  tokenReviewResource,
  selfSubjectReviewResource,
];
