/** Methods that HTTP/1.1 can carry past Node's parser, which knows them by name. */
export const knownMethods = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
] as const;

/** Methods of HTTP that are no verbs here; Node's parser knows them too. */
const foreignMethods = ['BIND', 'SEARCH', 'PROPFIND'];

/** Names of verbs, names of members that every object inherits, and what is no name at all. */
const madeUpMethods = [
  'get',
  'post',
  'delete',
  'LIST',
  'list',
  'WATCH',
  'CREATE',
  'DELETECOLLECTION',
  'IMPERSONATE',
  'constructor',
  '__proto__',
  'A'.repeat(300),
];

export const methodsOfHttp1: readonly string[] = [...knownMethods, ...foreignMethods];
/** CONNECT has no path: it is sent once a role. */
export const methodsOfHttp2: readonly string[] = [...methodsOfHttp1, ...madeUpMethods];
/** What Node's parser refuses by itself. Each costs a connection. */
export const unparsedMethods: readonly string[] = [...madeUpMethods, 'CONNECT'];
export const methodsOfUpgrades: readonly string[] = ['GET', 'POST', 'PUT'];
