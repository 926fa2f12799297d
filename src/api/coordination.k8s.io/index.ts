import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { leaseResource } from './v1/lease.ts';

export const coordinationResources: readonly ResourceDescriptor[] = [leaseResource];
