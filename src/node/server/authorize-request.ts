import type { TLSSocket } from 'node:tls';
import { subjectAccessReviewResource } from '../../api/authorization.k8s.io/v1/reviews.ts';
import { certificateSubject, type CertificateSubject } from '../../machinery/client-certificate.ts';
import type { KubeClient } from '../../client/client.ts';
import { NodeServerError } from './node-server-error.ts';
import type { NodeOperation } from './resolve-node-operation.ts';

/** @throws NodeServerError 401, and 403 in the kubelet's words */
export type OperationAuthorizer = (operation: NodeOperation, socket: TLSSocket) => Promise<void>;

/**
 * A node's server gives what the API gives, to those whom the API lets: administrators (the API's
 * own client is one), and those who have a right to one of the Node's subresources.
 */
export function createOperationAuthorizer(
  client: KubeClient,
  nodeName: string,
): OperationAuthorizer {
  const reviews = client.resource(subjectAccessReviewResource);
  return async ({ verb, subresources }, socket) => {
    const { commonName: name, organizations: groups } = senderOf(socket);
    if (groups.includes('system:masters')) return;
    for (const subresource of subresources) {
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
    }
    throw new NodeServerError(
      403,
      `Forbidden (user=${name}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}])`,
    );
  };
}

/**
 * Whom the client certificate names. The CA's signature was checked with the handshake; a connection
 * may outlive its certificate.
 */
function senderOf(socket: TLSSocket): CertificateSubject {
  const certificate = socket.getPeerCertificate();
  const sender = certificateSubject(certificate);
  if (sender === undefined || Date.parse(certificate.valid_to) < Date.now()) {
    throw new NodeServerError(401, 'Unauthorized');
  }
  return sender;
}
