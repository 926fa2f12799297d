import { abuseSuite } from '../hard/abuse/support/abuse-suite.ts';
import { bodies } from '../hard/abuse/tables/bodies.ts';
import { connections } from '../hard/abuse/tables/connections.ts';
import { listsAndWatches } from '../hard/abuse/tables/lists-and-watches.ts';
import { objects } from '../hard/abuse/tables/objects.ts';
import { patches } from '../hard/abuse/tables/patches.ts';
import { requests } from '../hard/abuse/tables/requests.ts';

/** One abuse of each kind. `npm run test:hard` sends them all. */
const all = [bodies, objects, patches, requests, listsAndWatches, connections].flat();

abuseSuite(
  'quick',
  all.filter(abuse => abuse.quick === true),
  // The budget is for a quiet machine; here a server that stands still is what fails.
  { maxP99Ms: 3000 },
);
