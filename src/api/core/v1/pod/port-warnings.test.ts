import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Container } from './container-schema.ts';
import { portWarnings } from './port-warnings.ts';

type Port = NonNullable<Container['ports']>[number];

/** Every pair, as Kubernetes compares them. */
function expected(ports: readonly Port[]): string[] {
  return ports.flatMap((a, i) =>
    ports.slice(0, i).flatMap((b, j) => {
      const [ipA = '', ipB = ''] = [a.hostIP, b.hostIP];
      const [portA = 0, portB = 0] = [a.hostPort, b.hostPort];
      if (a.containerPort !== b.containerPort) return [];
      const conflict =
        ipA === ipB && portA === portB
          ? 'duplicate'
          : portA === 0 || portB === 0
            ? 'overlapping'
            : portA === portB && (ipA === '') !== (ipB === '')
              ? 'dangerously ambiguous'
              : undefined;
      return conflict === undefined
        ? []
        : [`c.ports[${i}]: ${conflict} port definition with c.ports[${j}]`];
    }),
  );
}

test('finds what a comparison of all with all finds, in its order', () => {
  const port = fc.record({
    containerPort: fc.constantFrom(80, 81),
    hostIP: fc.constantFrom('', '10.0.0.1', '10.0.0.2'),
    hostPort: fc.constantFrom(0, 1, 2),
  });
  fc.assert(
    fc.property(fc.array(port, { maxLength: 12 }), ports => {
      const container = { name: 'c', ports };
      expect([...portWarnings([{ container, at: 'c' }])]).toEqual(expected(ports));
    }),
  );
});
