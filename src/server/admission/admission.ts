import type { KubeObject } from '../../machinery/meta.ts';
import type { ResourceDescriptor } from '../../machinery/resource.ts';
import type { UserInfo } from '../authn/authenticator.ts';

/** A write that asks to be let in. */
export interface AdmissionRequest {
  readonly operation: 'create' | 'update' | 'delete';
  readonly descriptor: ResourceDescriptor;
  /** `status`, `token`, `eviction` …; empty for the object itself. */
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** The object as it would be; plug-ins may fill it. Absent for delete. */
  readonly object: KubeObject | undefined;
  /** The object as it is; absent for create. Not to be changed. */
  readonly old: KubeObject | undefined;
  readonly user: UserInfo;
  /** Adds a `Warning:` header, once even if the write is retried. */
  readonly warn: (text: string) => void;
}

/** One check or default beyond the resource's own. @throws StatusError to refuse */
export type AdmissionPlugin = (request: AdmissionRequest) => Promise<void>;

export type AdmissionChain = AdmissionPlugin;

export const chain =
  (...plugins: readonly AdmissionPlugin[]): AdmissionChain =>
  async request => {
    for (const plugin of plugins) await plugin(request);
  };
