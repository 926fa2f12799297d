import type { PolicyRule } from '../../../../api/rbac.authorization.k8s.io/v1/policy-rule.ts';

export const read = 'get list watch';
export const write = 'create delete deletecollection patch update';

const words = (text: string): string[] => text.split(' ').filter(each => each !== '');

/** @param groups space-separated, as all here; `core` is the group without a name */
export const rule = (
  verbs: string,
  groups: string,
  resources: string,
  resourceNames?: string,
): PolicyRule => ({
  verbs: words(verbs),
  apiGroups: words(groups).map(each => (each === 'core' ? '' : each)),
  resources: words(resources),
  ...(resourceNames === undefined ? {} : { resourceNames: words(resourceNames) }),
});

export const pathRule = (verbs: string, urls: string): PolicyRule => ({
  verbs: words(verbs),
  nonResourceURLs: words(urls),
});

/** What every component needs that tells events. */
export const eventsRule = rule('create patch update', 'core events.k8s.io', 'events');
