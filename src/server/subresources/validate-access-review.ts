import type {
  SelfSubjectAccessReview,
  SubjectAccessReview,
} from '../../api/authorization.k8s.io/v1/reviews.ts';
import { invalid, invalidShown, path, type FieldError } from '../../machinery/field-error.ts';

const spec = path('spec');

/** What is asked has to be one thing, and a review has no metadata but its namespace. */
export function validateAccessReview(review: SelfSubjectAccessReview): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: other } = review.spec ?? {};
  const { namespace = '', ...more } = review.metadata;
  const errors: FieldError[] = [];
  if (resource !== undefined && other !== undefined) {
    const shown = `authorization.NonResourceAttributes{Path:${JSON.stringify(other.path ?? '')}, Verb:${JSON.stringify(other.verb ?? '')}}`;
    errors.push(
      invalidShown(
        spec.child('nonResourceAttributes'),
        shown,
        'cannot be specified in combination with resourceAttributes',
      ),
    );
  }
  if (resource === undefined && other === undefined) {
    errors.push(
      invalid(
        spec.child('resourceAttributes'),
        undefined,
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
      ),
    );
  }
  // In protobuf, what is not set comes as its zero.
  if (Object.values(more).some(isSet)) {
    const detail = namespace === '' ? 'must be empty' : 'must be empty except for namespace';
    errors.push(invalid(path('metadata'), review.metadata, detail));
  }
  if (namespace === '') return errors;
  const asked = resource?.namespace ?? '';
  if (resource !== undefined && asked !== namespace) {
    errors.push(
      invalid(
        spec.child('resourceAttributes', 'namespace'),
        asked,
        'must match metadata.namespace',
      ),
    );
  }
  if (other !== undefined) {
    errors.push(
      invalid(spec.child('nonResourceAttributes'), other, 'disallowed on this kind of request'),
    );
  }
  return errors;
}

const isSet = (value: unknown): boolean =>
  typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);

export const validateSubject = ({ spec: asked }: SubjectAccessReview): FieldError[] =>
  !asked?.user && (asked?.groups ?? []).length === 0
    ? [invalid(spec.child('user'), '', 'at least one of user or group must be specified')]
    : [];
