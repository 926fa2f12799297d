import { memberOf } from '../../machinery/member.ts';
import { timestamp } from '../../machinery/timestamp.ts';
import type { SecretCoordinates } from './keyring.ts';

/*
 * What the kubelet keeps of pulls (kubelet.config.k8s.io, KEP-2535), so that an image that one pod's
 * Secret has pulled is not used by a pod that has no right to it.
 */

/** A Secret that pulled an image, and a hash of what it held; empty where that is no proof any more. */
export interface ImagePullSecret extends SecretCoordinates {
  readonly credentialHash: string;
}

/** Who may use an image under one name. Neither: whoever wants it must show credentials. */
export interface ImagePullCredentials {
  readonly kubernetesSecrets?: readonly ImagePullSecret[];
  /** It was pulled without credentials: every pod may. */
  readonly nodePodsAccessible?: boolean;
}

export interface ImagePulledRecord {
  readonly kind: 'ImagePulledRecord';
  readonly apiVersion: string;
  readonly lastUpdatedTime: string;
  /** The runtime's id of the image. */
  readonly imageRef: string;
  /** By repository, without tag and digest. */
  readonly credentialMapping?: Readonly<Record<string, ImagePullCredentials>>;
}

export interface ImagePullIntent {
  readonly kind: 'ImagePullIntent';
  readonly apiVersion: string;
  /** As the container names it. */
  readonly image: string;
}

export const recordVersion = 'kubelet.config.k8s.io/v1beta1';

/** So many Secrets of a record grow by looking at it; more must pull to be noted. */
const maxNotedSecrets = 100;

/** The hash of what no registry has been shown: equal to no other. */
const unproven = '';

/**
 * The record with new credentials in it; the same object where they tell nothing new.
 * @param credentials undefined: it was pulled, nobody knows how
 */
export function withCredentials(
  record: ImagePulledRecord | undefined,
  pull: { imageRef: string; repository: string; credentials?: ImagePullCredentials; now: Date },
): ImagePulledRecord {
  const { imageRef, repository, credentials, now } = pull;
  const known = memberOf(record?.credentialMapping, repository);
  const merged = mergeCredentials(known, credentials);
  if (record !== undefined && merged === known) return record;
  return {
    kind: 'ImagePulledRecord',
    apiVersion: recordVersion,
    lastUpdatedTime: timestamp(now.getTime()),
    imageRef,
    credentialMapping: {
      ...record?.credentialMapping,
      ...(merged === undefined ? {} : { [repository]: merged }),
    },
  };
}

function mergeCredentials(
  known: ImagePullCredentials | undefined,
  added: ImagePullCredentials | undefined,
): ImagePullCredentials | undefined {
  if (added === undefined || known?.nodePodsAccessible === true) return known;
  if (added.nodePodsAccessible === true) return { nodePodsAccessible: true };
  const secrets = new Map((known?.kubernetesSecrets ?? []).map(each => [placeOf(each), each]));
  const news = (added.kubernetesSecrets ?? []).filter(
    each => secrets.get(placeOf(each))?.credentialHash !== each.credentialHash,
  );
  if (news.length === 0) return known;
  for (const each of news) secrets.set(placeOf(each), each);
  return {
    kubernetesSecrets: [...secrets]
      .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([, each]) => each),
  };
}

/** Sorts as the kubelet does. */
const placeOf = ({ namespace, name, uid }: SecretCoordinates): string =>
  [namespace, name, uid].join('\n');

/** Whether a pod may use the image without a pull; `learned` is what the record shall note of it. */
export function findAccess(
  known: ImagePullCredentials | undefined,
  podSecrets: () => readonly ImagePullSecret[],
): { readonly granted: boolean; readonly learned?: ImagePullSecret } {
  if (known?.nodePodsAccessible === true) return { granted: true };
  const noted = known?.kubernetesSecrets ?? [];
  if (noted.length === 0) return { granted: false };
  for (const secret of podSecrets()) {
    const { credentialHash } = secret;
    const here = noted.find(each => placeOf(each) === placeOf(secret));
    if (noted.some(each => each.credentialHash === credentialHash)) {
      const isNews = here?.credentialHash !== credentialHash && noted.length < maxNotedSecrets;
      return { granted: true, ...(isNews ? { learned: secret } : {}) };
    }
    if (here === undefined) continue;
    // Rotated since it pulled: it stays in the same hands. The kubelet notes what it holds now, for others to
    // match; here what no registry has seen proves nothing, and what it held before neither.
    const isNews = here.credentialHash !== unproven;
    return {
      granted: true,
      ...(isNews ? { learned: { ...secret, credentialHash: unproven } } : {}),
    };
  }
  return { granted: false };
}
