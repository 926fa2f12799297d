import { abuseSuite } from './support/abuse-suite.ts';
import { objects } from './tables/objects.ts';

abuseSuite('objects', objects);
