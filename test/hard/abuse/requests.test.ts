import { abuseSuite } from './support/abuse-suite.ts';
import { requests } from './tables/requests.ts';

abuseSuite('requests', requests);
