import { abuseSuite } from './support/abuse-suite.ts';
import { patches } from './tables/patches.ts';

abuseSuite('patches', patches);
