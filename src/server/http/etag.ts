import { createHash } from 'node:crypto';

/** Of a document that is made once and served many times. */
export const etagOf = (body: Buffer): string =>
  createHash('sha256').update(body).digest('hex').toUpperCase();

/** Whether the client has the document already: `If-None-Match` names its ETag, or any. */
export const hasCurrent = (ifNoneMatch: string | undefined, etag: string): boolean =>
  (ifNoneMatch ?? '')
    .split(',')
    .map(each => each.trim().replace(/^W\//, ''))
    .some(each => each === '*' || each === `"${etag}"`);
