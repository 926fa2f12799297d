import { memberOf } from '../../machinery/member.ts';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { secretResource, type Secret } from '../../api/core/v1/secret.ts';
import { serviceAccountResource, type ServiceAccount } from '../../api/core/v1/service-account.ts';
import {
  accountNameAnnotation,
  accountUidAnnotation,
  legacyClaims,
  tokenSecretType,
  type LegacyTokenSubject,
} from '../../api/core/v1/token-secret.ts';
import { createInformer } from '../../client/informer.ts';
import { keyIdOf } from '../../machinery/key-id.ts';
import type { KubeObject } from '../../machinery/meta.ts';
import { absent, isStatusError } from '../../machinery/status.ts';
import { createWorkQueue } from '../../machinery/work-queue.ts';
import type { ControllerContext } from '../controller.ts';
import type { CertificateController } from './certificate-controller.ts';

export interface TokenSecretsOptions {
  /** PKCS #8 PEM, P-256: the key with which the server verifies tokens. */
  readonly signingKey: string;
  readonly certificateAuthority: () => string;
}

/** Of a service account. */
const maxNameLength = 253;

/** Fills each Secret that asks for a service account's token, and deletes those whose account is gone. */
export const createTokenSecrets = (options: TokenSecretsOptions): CertificateController => ({
  name: 'tokens-controller',
  start: context => startTokenSecrets(context, options),
});

function startTokenSecrets(
  { client, informers, signal, log }: ControllerContext,
  { signingKey, certificateAuthority }: TokenSecretsOptions,
): ReturnType<CertificateController['start']> {
  const secrets = client.resource(secretResource);
  const accounts = client.resource(serviceAccountResource);
  const sign = createSigner(signingKey);
  const tokenSecrets = createInformer(client.metadata(secretResource), {
    fieldSelector: `type=${tokenSecretType}`,
    signal,
    log,
  });

  const fill = async (secret: Secret, { metadata }: ServiceAccount): Promise<void> => {
    const { namespace = '', name = '', annotations = {} } = secret.metadata;
    const { name: account = '', uid: accountUid = '' } = metadata;
    const data = {
      ...secret.data,
      'ca.crt': base64(certificateAuthority()),
      namespace: base64(namespace),
      token:
        secret.data?.['token'] ||
        base64(await sign({ namespace, account, accountUid, secret: name })),
    };
    const known = Object.entries(data).every(
      ([key, value]) => memberOf(secret.data, key) === value,
    );
    if (known && annotations[accountUidAnnotation] === accountUid) return;
    await secrets.update({
      ...secret,
      metadata: {
        ...secret.metadata,
        annotations: { ...annotations, [accountUidAnnotation]: accountUid },
      },
      data,
    });
  };

  const queue = createWorkQueue({
    async work(key) {
      const [namespace = '', name = ''] = key.split('/');
      if (tokenSecrets.get(namespace, name) === undefined) return;
      const secret = await secrets.get(namespace, name).catch(absent);
      if (secret === undefined || secret.metadata.deletionTimestamp !== undefined) return;
      const { annotations = {}, uid = '' } = secret.metadata;
      const wantedUid = annotations[accountUidAnnotation];
      try {
        const owner = annotations[accountNameAnnotation] ?? '';
        const account =
          owner.length > maxNameLength
            ? undefined
            : await accounts.get(namespace, owner).catch(absent);
        const lives =
          account !== undefined && (wantedUid ?? account.metadata.uid) === account.metadata.uid;
        if (lives) await fill(secret, account);
        else await secrets.delete(namespace, name, { uid });
      } catch (error) {
        // It has changed meanwhile: its change comes by the watch.
        if (!isStatusError(error, 'Conflict') && !isStatusError(error, 'NotFound')) throw error;
      }
    },
    onError: (secret, error) =>
      log.warn('Could not issue the token of a secret', { secret, error: String(error) }),
  });
  const keyOf = ({ metadata }: KubeObject): string =>
    `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
  tokenSecrets.onChange(({ type, object }) => {
    if (type !== 'deleted') queue.add(keyOf(object));
  });
  informers.metadata(serviceAccountResource).onChange(({ type, object: { metadata } }) => {
    if (type === 'updated') return;
    for (const secret of tokenSecrets.list()) {
      const owner = secret.metadata.annotations?.[accountNameAnnotation];
      if (owner === metadata.name && secret.metadata.namespace === metadata.namespace)
        queue.add(keyOf(secret));
    }
  });
  return {
    close: () => queue.close(),
    certificateAuthorityRenewed() {
      for (const secret of tokenSecrets.list()) queue.add(keyOf(secret));
    },
  };
}

function createSigner(signingKey: string): (subject: LegacyTokenSubject) => Promise<string> {
  const key = createPrivateKey(signingKey);
  const kid = keyIdOf(createPublicKey(key));
  return async subject => {
    // Loaded when a first token is asked for: few ever ask.
    const { SignJWT } = await import('jose');
    return new SignJWT(legacyClaims(subject)).setProtectedHeader({ alg: 'ES256', kid }).sign(key);
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
