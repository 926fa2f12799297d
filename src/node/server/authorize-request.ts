import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { subjectAccessReviewResource } from '../../api/authorization.k8s.io/v1/reviews.ts';
import { methodVerbs } from '../../machinery/method-verbs.ts';
import { certificateSubject, type CertificateSubject } from '../../machinery/client-certificate.ts';
import type { KubeClient } from '../../client/client.ts';
import { NodeServerError } from './find-container.ts';

/** @throws NodeServerError 401, and 403 in the kubelet's words */
export type RequestAuthorizer = (request: IncomingMessage) => Promise<void>;

const subresources: ReadonlyMap<string, string> = new Map([
  ['metrics', 'metrics'],
  ['stats', 'stats'],
  ['logs', 'log'],
  ['spec', 'spec'],
]);

/**
 * A node's server gives what the API gives, to those whom the API lets: administrators (the API's
 * own client is one), and who may `nodes/proxy` and its like.
 */
export function createRequestAuthorizer(client: KubeClient, nodeName: string): RequestAuthorizer {
  const reviews = client.resource(subjectAccessReviewResource);
  return async request => {
    const { commonName: name, organizations: groups } = senderOf(request);
    if (groups.includes('system:masters')) return;
    const verb = methodVerbs.get(request.method ?? '') ?? '';
    const [, action = ''] = (request.url ?? '/').split(/[/?]/);
    const subresource = subresources.get(action) ?? 'proxy';
    const { status } = await reviews.create({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: {
        user: name,
        groups: [...groups, 'system:authenticated'],
        resourceAttributes: {
          verb,
          version: 'v1',
          resource: 'nodes',
          subresource,
          name: nodeName,
        },
      },
    });
    if (status?.allowed === true) return;
    throw new NodeServerError(
      403,
      `Forbidden (user=${name}, verb=${verb}, resource=nodes, subresource=${subresource})`,
    );
  };
}

/**
 * Whom the client certificate names. The CA's signature was checked with the handshake; a connection
 * may outlive its certificate.
 */
function senderOf({ socket }: IncomingMessage): CertificateSubject {
  const certificate = (socket as TLSSocket).getPeerCertificate();
  const sender = certificateSubject(certificate);
  if (sender === undefined || Date.parse(certificate.valid_to) < Date.now()) {
    throw new NodeServerError(401, 'Unauthorized');
  }
  return sender;
}
