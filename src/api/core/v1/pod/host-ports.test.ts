import { expect, test } from 'vitest';
import type { Pod } from './pod-schema.ts';
import { createHostPorts, hostPortsOf, takesReservedPort, type HostPort } from './host-ports.ts';

const pod = (spec: Partial<Pod['spec']>): Pick<Pod, 'spec'> => ({
  spec: { containers: [], ...spec },
});
const portsOf = (spec: Partial<Pod['spec']>): string[] =>
  hostPortsOf(pod(spec)).map(({ ip, port, protocol }) => `${ip}:${port}/${protocol}`);

test('collects host ports of all containers, including init containers', () => {
  expect(
    portsOf({
      initContainers: [{ name: 'i', ports: [{ containerPort: 1, hostPort: 6443 }] }],
      containers: [
        {
          name: 'a',
          ports: [
            { containerPort: 80 },
            { containerPort: 81, hostPort: 0 },
            { containerPort: 82, hostPort: 8082, protocol: 'UDP', hostIP: '127.0.0.1' },
            { containerPort: 83, hostPort: 8083, hostIP: '0.0.0.0' },
            { containerPort: 84, hostPort: 8084, hostIP: '::' },
          ],
        },
      ],
    }),
  ).toEqual([':6443/TCP', '127.0.0.1:8082/UDP', ':8083/TCP', ':8084/TCP']);
});

test('with hostNetwork every container port is a host port', () => {
  const ports = [{ containerPort: 6443 }, { containerPort: 80, hostPort: 80 }];
  expect(portsOf({ hostNetwork: true, containers: [{ name: 'a', ports }] })).toEqual([
    ':6443/TCP',
    ':80/TCP',
  ]);
  const disguised = [{ containerPort: 6443, hostPort: 7000 }];
  expect(portsOf({ hostNetwork: true, containers: [{ name: 'a', ports: disguised }] })).toEqual([
    ':7000/TCP',
    ':6443/TCP',
  ]);
});

const port = (more: Partial<HostPort>): HostPort => ({
  port: 80,
  protocol: 'TCP',
  ip: '',
  ...more,
});

test.each([
  [{}, {}, true],
  [{ ip: '127.0.0.1' }, {}, true],
  [{ ip: '127.0.0.1' }, { ip: '127.0.0.1' }, true],
  [{ ip: '127.0.0.1' }, { ip: '127.0.0.2' }, false],
  [{ protocol: 'UDP' }, {}, false],
  [{ port: 81 }, {}, false],
])('%j and %j conflict: %s', (a, b, conflict) => {
  for (const [first, second] of [
    [a, b],
    [b, a],
  ] as const) {
    const taken = createHostPorts();
    taken.add(port(first));
    expect(taken.isTaken(port(second))).toBe(conflict);
    taken.remove(port(first));
    expect(taken.isTaken(port(second))).toBe(false);
  }
});

test('a reserved port is taken on every address, for TCP only', () => {
  const reserved = new Set([6443]);
  expect(takesReservedPort([port({ port: 6443, ip: '10.0.0.1' })], reserved)).toBe(true);
  expect(takesReservedPort([port({ port: 6443, protocol: 'UDP' })], reserved)).toBe(false);
  expect(takesReservedPort([port({ port: 6444 })], reserved)).toBe(false);
});

test('a port is free again once the last pod that has it is gone', () => {
  const taken = createHostPorts();
  taken.add(port({}));
  taken.add(port({}));
  taken.remove(port({}));
  expect(taken.isTaken(port({}))).toBe(true);
  taken.remove(port({}));
  expect(taken.isTaken(port({}))).toBe(false);
});
