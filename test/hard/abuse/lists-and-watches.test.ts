import { abuseSuite } from './support/abuse-suite.ts';
import { listsAndWatches } from './tables/lists-and-watches.ts';

abuseSuite('lists and watches', listsAndWatches);
