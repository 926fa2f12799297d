import type { ResourceDescriptor } from '../machinery/resource.ts';
import type { AdmissionChain } from './admission/admission.ts';
import type { Authorizer } from './authz/authorizer.ts';
import type { ObjectStore } from './registry/object-store.ts';

/** A resource that is served, and where its objects are. */
export interface ResourceEntry {
  readonly descriptor: ResourceDescriptor;
  /** Absent for reviews, which are only asked. */
  readonly objects: ObjectStore | undefined;
}

/** What the verbs work with. */
export interface VerbServices {
  readonly entry: ResourceEntry & { readonly objects: ObjectStore };
  readonly admission: AdmissionChain;
  readonly authorize: Authorizer;
}
