/** Who a request comes from. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** What an authenticator looks at. */
export interface Credentials {
  /** The client certificate's subject; only if the CA signed it. */
  readonly certificate:
    { readonly commonName: string; readonly organizations: readonly string[] } | undefined;
  /** Of `Authorization: Bearer …`. */
  readonly token: string | undefined;
}

/** Answers the user; undefined where the credentials are not of its kind. @throws StatusError Unauthorized for bad ones */
export type Authenticator = (credentials: Credentials) => Promise<UserInfo | undefined>;

export const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** CN is the name, each O a group. A certificate without a CN is nobody's. */
export const certificateAuthenticator: Authenticator = ({ certificate }) =>
  Promise.resolve(
    certificate === undefined || certificate.commonName === ''
      ? undefined
      : {
          name: certificate.commonName,
          groups: [...certificate.organizations, 'system:authenticated'],
        },
  );

/** Who a service account is to the API, whatever token it comes with. */
export const serviceAccountUser = ({
  namespace,
  name,
  uid,
}: {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}): UserInfo => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  uid,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
});
