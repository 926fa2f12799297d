import { expect, test } from 'vitest';
import { certificateSubject } from './client-certificate.ts';

const clientAuth = '1.3.6.1.5.5.7.3.2';
const serverAuth = '1.3.6.1.5.5.7.3.1';
const subject = { CN: 'jane', O: 'dev' };
const jane = { commonName: 'jane', organizations: ['dev'] };

test.each([
  ['one group', { subject, ca: false, ext_key_usage: [clientAuth] }, jane],
  ['several purposes', { subject, ext_key_usage: [serverAuth, clientAuth] }, jane],
  ['no purpose given', { subject }, jane],
  ['no group', { subject: { CN: 'jane' } }, { commonName: 'jane', organizations: [] }],
  [
    'several groups and names',
    { subject: { CN: ['john', 'jane'], O: ['dev', 'ops'] } },
    { commonName: 'jane', organizations: ['dev', 'ops'] },
  ],
])('a certificate with %s is of its subject', (_, certificate, found) => {
  expect(certificateSubject(certificate)).toEqual(found);
});

test.each([
  ['no certificate', {}],
  ['a certificate without a CN', { subject: { O: 'system:masters' } }],
  ['a certificate with an empty CN', { subject: { CN: '', O: 'system:masters' } }],
  ['a server’s certificate', { subject, ext_key_usage: [serverAuth] }],
  ['an authority’s certificate', { subject, ca: true }],
])('%s identifies nobody', (_, certificate) => {
  expect(certificateSubject(certificate)).toBeUndefined();
});
