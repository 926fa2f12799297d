import { memberOf } from '../../machinery/member.ts';
import path from 'node:path';
import type { Logger } from '../../machinery/log.ts';
import type { Image, ImageService } from '../runtime/image-service.ts';
import type { CredentialHash } from './credential-hash.ts';
import { parseImageName, type ImageName } from '../../machinery/image-name.ts';
import type { PullCredential } from './keyring.ts';
import {
  findAccess,
  recordVersion,
  withCredentials,
  type ImagePullCredentials,
  type ImagePulledRecord,
  type ImagePullIntent,
  type ImagePullSecret,
} from './pull-record.ts';
import { openRecordFolder, type RecordFolder } from './record-folder.ts';
import type { VerificationPolicy } from './verification-policy.ts';

/** Who has pulled which image with what: the kubelet's pull manager (KEP-2535). Survives a crash. */
export interface PullRecords {
  /** Before a pull: an image that comes while nobody looks counts as pulled here. @throws what the disk says */
  begin(name: ImageName): Promise<void>;
  /** After a pull that went well; `used` are the credentials, undefined if there were none. */
  succeeded(name: ImageName, imageRef: string, used: PullCredential | undefined): Promise<void>;
  failed(name: ImageName): Promise<void>;
  /** Whether a pod may use an image that is here; `credentials` are asked for only if it matters. */
  mayUse(
    name: ImageName,
    imageRef: string,
    credentials: () => readonly PullCredential[],
  ): Promise<boolean>;
}

export interface PullRecordsOptions {
  /** Files as the kubelet has them lie below: `pulling/` and `pulled/`. */
  readonly dir: string;
  readonly runtime: Pick<ImageService, 'listImages'>;
  readonly policy: VerificationPolicy;
  readonly hash: CredentialHash;
  readonly log: Logger;
}

export async function openPullRecords(options: PullRecordsOptions): Promise<PullRecords> {
  const { dir, policy, hash, log } = options;
  const [intents, pulled] = await Promise.all([
    openRecordFolder(path.join(dir, 'pulling'), parseIntent),
    openRecordFolder(path.join(dir, 'pulled'), parseRecord),
  ]);
  await takeUp(options, intents, pulled);
  const underWay = new Map<string, number>();

  const note = (
    { repository }: ImageName,
    imageRef: string,
    credentials: ImagePullCredentials,
  ): Promise<void> =>
    pulled.update(imageRef, known =>
      withCredentials(known, { imageRef, repository, credentials, now: new Date() }),
    );
  const secretOf = ({ secret, auth }: PullCredential): ImagePullSecret => ({
    ...secret,
    credentialHash: hash(auth),
  });
  const end = async (name: ImageName): Promise<void> => {
    const image = intentName(name);
    const left = (underWay.get(image) ?? 1) - 1;
    if (left > 0) underWay.set(image, left);
    else {
      underWay.delete(image);
      await intents.delete(image);
    }
  };
  const orWarn = async (what: string, work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      log.warn(what, { error: (error as Error).message });
    }
  };

  return {
    async begin(name) {
      const image = intentName(name);
      const intent: ImagePullIntent = { kind: 'ImagePullIntent', apiVersion: recordVersion, image };
      underWay.set(image, (underWay.get(image) ?? 0) + 1);
      try {
        await intents.update(image, known => known ?? intent);
      } catch (error) {
        await end(name);
        throw error;
      }
    },
    succeeded: (name, imageRef, used) =>
      // An intent that stays, since the record was not written, still says that the image was pulled here.
      orWarn(
        'A pull was not recorded',
        note(
          name,
          imageRef,
          used === undefined
            ? { nodePodsAccessible: true }
            : { kubernetesSecrets: [secretOf(used)] },
        ).then(() => end(name)),
      ),
    failed: name => orWarn('The intent of a pull stays', end(name)),
    async mayUse(name, imageRef, credentials) {
      const pulledHere = pulled.has(imageRef) || intents.has(intentName(name));
      if (!policy(name.repository, pulledHere)) return true;
      const known = memberOf(pulled.get(imageRef)?.credentialMapping, name.repository);
      const { granted, learned } = findAccess(known, () => credentials().map(secretOf));
      if (learned !== undefined) {
        const noted = note(name, imageRef, { kubernetesSecrets: [learned] });
        await orWarn('A pull secret was not recorded', noted);
      }
      return granted;
    },
  };
}

/** After a crash: an image that a pull was after, and that is here, was pulled, nobody knows with what. */
async function takeUp(
  { runtime, log }: PullRecordsOptions,
  intents: RecordFolder<ImagePullIntent>,
  pulled: RecordFolder<ImagePulledRecord>,
): Promise<void> {
  let images: Image[];
  try {
    images = await runtime.listImages();
  } catch (error) {
    log.warn('Images were not listed: old records of pulls stay', {
      error: (error as Error).message,
    });
    return;
  }
  const now = new Date();
  for (const { id, repoTags, repoDigests } of images) {
    for (const image of [...repoTags, ...repoDigests]) {
      if (!intents.has(image)) continue;
      const { repository } = parseImageName(image);
      await pulled.update(id, known => withCredentials(known, { imageRef: id, repository, now }));
      await intents.delete(image);
    }
  }
  await pulled.keepOnly(images.map(({ id }) => id));
}

/** As the runtime lists an image: a tag beside a digest says nothing. */
const intentName = ({ full }: ImageName): string => full.replace(/:[^:@/]+@/, '@');

function parseIntent(value: unknown): ImagePullIntent | undefined {
  const intent = value as Partial<ImagePullIntent> | null;
  return intent?.kind === 'ImagePullIntent' && typeof intent.image === 'string'
    ? (intent as ImagePullIntent)
    : undefined;
}

function parseRecord(value: unknown): ImagePulledRecord | undefined {
  const record = value as Partial<ImagePulledRecord> | null;
  return record?.kind === 'ImagePulledRecord' && typeof record.imageRef === 'string'
    ? (record as ImagePulledRecord)
    : undefined;
}
