/** Methods that HTTP/1.1 carries past Node's parser, which knows them by name. */
export const methodsOfHttp1: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  // WebDAV's, and a verb of RBAC's.
  'BIND',
];

/** Names of verbs, names of members that every object inherits, and what is no name at all. */
const madeUpMethods = [
  'get',
  'delete',
  'LIST',
  'watch',
  'constructor',
  '__proto__',
  'A'.repeat(300),
];

/** CONNECT has no path: it is sent once a role. */
export const methodsOfHttp2: readonly string[] = [...methodsOfHttp1, ...madeUpMethods];
/** What Node's parser refuses by itself. Each costs a connection. */
export const unparsedMethods: readonly string[] = [...madeUpMethods, 'CONNECT'];
export const methodsOfWebSockets: readonly string[] = ['GET', 'POST', 'PUT'];
export const methodsOfSpdy: readonly string[] = ['POST'];
