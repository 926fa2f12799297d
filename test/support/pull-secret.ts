import type { Credentials } from './registry.ts';

/** What `kubectl create secret docker-registry` makes. */
export const pullSecret = (
  name: string,
  registry: string,
  { user, password }: Credentials,
  namespace = 'default',
): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  type: 'kubernetes.io/dockerconfigjson',
  data: {
    '.dockerconfigjson': Buffer.from(
      JSON.stringify({
        auths: {
          [registry]: {
            username: user,
            password,
            auth: Buffer.from(`${user}:${password}`).toString('base64'),
          },
        },
      }),
    ).toString('base64'),
  },
});
