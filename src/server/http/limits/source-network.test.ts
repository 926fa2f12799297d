import { expect, test } from 'vitest';
import { isLoopback, sourceNetwork } from './source-network.ts';

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['', ''],
])('%s is of %s', (address, network) => expect(sourceNetwork(address)).toBe(network));

test.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('%s is loopback', address =>
  expect(isLoopback(address)).toBe(true),
);
test.each(['128.0.0.1', '10.0.0.127', '::2', ''])('%s is not', address =>
  expect(isLoopback(address)).toBe(false),
);
