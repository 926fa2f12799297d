import type { KubeObject } from '../../machinery/meta.ts';

/** An object if it lives: asked for the account of a token and for what it is bound to. */
export type ObjectLookup = (
  kind: string,
  namespace: string,
  name: string,
) => Promise<KubeObject | undefined>;
