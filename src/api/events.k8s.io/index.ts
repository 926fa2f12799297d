import type { ResourceDescriptor } from '../../machinery/resource.ts';
import { eventsEventResource } from './v1/event.ts';

export const eventsResources: readonly ResourceDescriptor[] = [eventsEventResource];
