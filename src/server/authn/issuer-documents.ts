import { createPrivateKey, createPublicKey } from 'node:crypto';
import { keyIdOf } from '../../machinery/key-id.ts';

/** What others verify service-account tokens with (OpenID Connect discovery): JSON texts. */
export interface IssuerDocuments {
  /** Of `/.well-known/openid-configuration`. */
  readonly configuration: string;
  /** Of `/openid/v1/jwks`; content type `application/jwk-set+json`. */
  readonly keys: string;
}

/** @param privateKey PKCS #8 PEM, P-256: only its public half is told */
export function issuerDocuments(issuer: string, privateKey: string): IssuerDocuments {
  const publicKey = createPublicKey(createPrivateKey(privateKey));
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' });
  return {
    configuration: JSON.stringify({
      issuer,
      jwks_uri: `${issuer}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    }),
    keys: JSON.stringify({
      keys: [{ use: 'sig', kty, kid: keyIdOf(publicKey), alg: 'ES256', crv, x, y }],
    }),
  };
}
