import { abuseSuite } from './support/abuse-suite.ts';
import { connections } from './tables/connections.ts';

abuseSuite('connections', connections);
