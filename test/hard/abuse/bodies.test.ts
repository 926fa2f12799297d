import { abuseSuite } from './support/abuse-suite.ts';
import { bodies } from './tables/bodies.ts';

abuseSuite('bodies', bodies);
