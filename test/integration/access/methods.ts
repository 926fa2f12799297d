/** Methods that HTTP/1.1 carries past Node's parser, which knows them by name. */
export const knownMethods: readonly string[] = [
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

/**
 * Names of verbs, names of members that every object inherits, and what is no name at all. HTTP/2 carries them;
 * over HTTP/1.1 Node's parser refuses them by itself.
 */
export const madeUpMethods: readonly string[] = [
  'get',
  'delete',
  'LIST',
  'watch',
  'constructor',
  '__proto__',
  'A'.repeat(300),
];
