import { list, map, object, optional, required, string } from '../schema.ts';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';

export const LabelSelectorSchema = object(
  `${meta}.LabelSelector`,
  'Chooses objects by their labels; all that it says has to hold. Empty, it chooses all.',
  {
    matchLabels: optional(1, map(string()), 'Labels that the object must have.'),
    matchExpressions: optional(
      2,
      list(
        object(`${meta}.LabelSelectorRequirement`, 'One condition on the labels.', {
          key: required(1, string(), 'The label.'),
          operator: required(2, string(), 'In, NotIn, Exists or DoesNotExist.'),
          values: optional(3, list(string()), 'For In and NotIn.', { listType: 'atomic' }),
        }),
      ),
      'Further conditions.',
      { listType: 'atomic' },
    ),
  },
);
