import type { KubeObject } from '../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import type { UserInfo } from '../authn/authenticator.ts';

/** A write that is to be admitted. */
export interface AdmissionRequest {
  readonly operation: 'create' | 'update' | 'delete';
  readonly descriptor: ResourceDescriptor;
  /** `status`, `token`, `eviction` …; empty for the object itself. */
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** The object as it would be; of a subresource that is created, its body. Absent for delete. */
  readonly object: KubeObject | undefined;
  /** The object as it is; absent for create. Not to be changed. */
  readonly old: KubeObject | undefined;
  readonly user: UserInfo;
  /** Nothing will be stored: a plug-in may have no effect outside the request. */
  readonly dryRun: boolean;
  /** Adds a `Warning:` header, once even if the write is retried. */
  readonly warn: (text: string) => void;
}

/** @throws StatusError to refuse */
export type AdmissionHook = (request: AdmissionRequest) => Promise<void>;

/** A check or default beyond the resource's own. */
export interface AdmissionPlugin {
  /** Kubernetes' name of it. */
  readonly name: string;
  /** Runs before the object is validated, and may change it. */
  readonly mutate?: AdmissionHook;
  /** Runs last: it sees the object as it will be stored. */
  readonly validate?: AdmissionHook;
}

/** Every plug-in's part in each of the two phases, in order. */
export type Admission = Required<Pick<AdmissionPlugin, 'mutate' | 'validate'>>;

export const createAdmission = (plugins: readonly AdmissionPlugin[]): Admission => ({
  mutate: inOrder(plugins.flatMap(({ mutate }) => mutate ?? [])),
  validate: inOrder(plugins.flatMap(({ validate }) => validate ?? [])),
});

const inOrder =
  (hooks: readonly AdmissionHook[]): AdmissionHook =>
  async request => {
    for (const hook of hooks) await hook(request);
  };
