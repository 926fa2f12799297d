import type { KeyPair } from './key-pair.ts';

const data = (pem: string): string => Buffer.from(pem).toString('base64');

/** A kubeconfig with one cluster, one user and one context, all named `keylet`. */
export const kubeconfigText = (server: string, ca: string, user: KeyPair): string => `apiVersion: v1
kind: Config
clusters:
- name: keylet
  cluster:
    server: ${server}
    certificate-authority-data: ${data(ca)}
users:
- name: keylet
  user:
    client-certificate-data: ${data(user.cert)}
    client-key-data: ${data(user.key)}
contexts:
- name: keylet
  context:
    cluster: keylet
    user: keylet
current-context: keylet
`;
