import { expect, test } from 'vitest';
import { removalOf } from './stray-network.ts';

const network = { bridge: 'keylet1', cidr: '10.42.1.0/24' };
/** As CNI's plug-ins bridge and portmap write them. */
const masquerade = (bridge: string, id: string, chain: string): string[] => [
  `-A POSTROUTING -s 10.42.1.4/32 -m comment --comment "name: \\"${bridge}\\" id: \\"${id}\\"" -j ${chain}`,
  `-A ${chain} -d 10.42.1.0/24 -m comment --comment "name: \\"${bridge}\\" id: \\"${id}\\"" -j ACCEPT`,
  `-A ${chain} ! -d 224.0.0.0/4 -m comment --comment "name: \\"${bridge}\\" id: \\"${id}\\"" -j MASQUERADE`,
];
const portChain = (chain: string, cidr = network.cidr): string[] => [
  `-A ${chain} -s ${cidr} -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK`,
  `-A ${chain} -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.42.1.4:80`,
];
const port = (bridge: string, id: string, chain: string): string =>
  `-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"${bridge}\\" id: \\"${id}\\"" -m multiport --dports 8080 -j ${chain}`;
const shared = [
  '*nat',
  ':CNI-HOSTPORT-DNAT - [0:0]',
  '-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT',
  '-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE',
  'COMMIT',
];

test.each([
  ['nothing', []],
  [
    'sandboxes that live',
    [
      ...masquerade('keylet1', 'live', 'CNI-a'),
      port('keylet1', 'live', 'CNI-DN-a'),
      ...portChain('CNI-DN-a'),
    ],
  ],
  [
    'other networks, also of a name that begins alike',
    [
      ...masquerade('keylet10', 'dead', 'CNI-b'),
      port('keylet10', 'dead', 'CNI-DN-b'),
      ...portChain('CNI-DN-b', '10.42.10.0/24'),
    ],
  ],
])('removalOf() leaves %s alone', (_name, rules) => {
  const saved = [...shared, ...rules].join('\n');
  expect(removalOf(saved, { ...network, live: new Set(['live']) })).toBe('');
});

test('removalOf() removes all that is of a sandbox that is no more', () => {
  const dead = masquerade('keylet1', 'dead', 'CNI-b');
  const jump = port('keylet1', 'dead', 'CNI-DN-b');
  const saved = [
    ...shared,
    ...masquerade('keylet1', 'live', 'CNI-a'),
    ...dead,
    jump,
    ...portChain('CNI-DN-b'),
    // The plug-in was killed when it had taken away what leads here.
    ...portChain('CNI-DN-c'),
  ].join('\n');
  expect(removalOf(saved, { ...network, live: new Set(['live']) }).split('\n')).toEqual([
    '*nat',
    dead[0]?.replace('-A', '-D'),
    jump.replace('-A', '-D'),
    '-F CNI-b',
    '-F CNI-DN-b',
    '-F CNI-DN-c',
    '-X CNI-b',
    '-X CNI-DN-b',
    '-X CNI-DN-c',
    'COMMIT',
    '',
  ]);
});
