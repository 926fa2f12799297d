import { isIPv6 } from 'node:net';

/** The part of an IPv6 address that one customer is given whole (RFC 6177): its four groups. */
const prefixGroups = 4;

/** Those who can choose among many addresses count as one: an IPv4 address is itself, an IPv6 address its /64. */
export function sourceNetwork(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [plain = ''] = address.split('%');
  if (!isIPv6(plain)) return address;
  return `${groupsOf(plain).slice(0, prefixGroups).join(':')}::/64`;
}

/** The leading groups of an address, those that `::` leaves out included. */
function groupsOf(address: string): readonly string[] {
  const [before = '', after] = address.toLowerCase().split('::');
  const head = before === '' ? [] : before.split(':');
  if (after === undefined) return head;
  const tail = after === '' ? [] : after.split(':');
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => '0'), ...tail];
}

export const isLoopback = (address: string): boolean =>
  address === '::1' || /^(::ffff:)?127\./i.test(address);
