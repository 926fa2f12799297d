import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/http-client.ts';
import { loadKubeconfig } from '../../src/client/kubeconfig.ts';
import type { Status } from '../../src/machinery/status.ts';
import { startKeylet } from '../support/keylet.ts';
import { busyboxPod, secretVolumePod } from '../support/pods.ts';
import { sharedKubectl } from '../support/shared.ts';

const kubectl = sharedKubectl();

/** POSTs a body as it is, past kubectl's own checks. */
async function post(path: string, body: unknown): Promise<Status> {
  const client = createClient(await loadKubeconfig(kubectl.kubeconfig));
  try {
    const { body: answer } = await client.raw('POST', path, body);
    return JSON.parse(answer.toString()) as Status;
  } finally {
    await client.close();
  }
}
const secrets = '/api/v1/namespaces/default/secrets';
const pods = '/api/v1/namespaces/default/pods';
const secret = (more: object): object => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'bad' },
  ...more,
});

describe('a Secret that cannot be', () => {
  test.each([
    {
      fault: 'a key with a slash',
      body: secret({ data: { 'a/b': 'eA==' } }),
      code: 422,
      message:
        "Secret \"bad\" is invalid: data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    },
    {
      fault: 'more than 1 MiB',
      body: secret({ stringData: { big: 'x'.repeat(1024 * 1024 + 1) } }),
      code: 422,
      message: 'Secret "bad" is invalid: data: Too long: must have at most 1048576 bytes',
    },
    {
      fault: 'a name that is not DNS-1123',
      body: secret({ metadata: { name: 'Bad_Name' } }),
      code: 422,
      message:
        "Secret \"Bad_Name\" is invalid: metadata.name: Invalid value: \"Bad_Name\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    },
    {
      fault: 'bad base64',
      body: secret({ data: { k: '%%%' } }),
      code: 400,
      message:
        'Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0',
    },
    {
      fault: 'a wrong type',
      body: secret({ data: 'text' }),
      code: 400,
      message:
        'Secret in version "v1" cannot be handled as a Secret: json: cannot unmarshal string into Go struct field Secret.data of type map[string][]uint8',
    },
    {
      fault: 'an unknown field, asked strictly',
      path: `${secrets}?fieldValidation=Strict`,
      body: secret({ dada: {} }),
      code: 400,
      message:
        'Secret in version "v1" cannot be handled as a Secret: strict decoding error: unknown field "dada"',
    },
  ])('$fault → $code', async ({ body, code, message, path = secrets }) => {
    const status = await post(path, body);
    expect(status).toMatchObject({ kind: 'Status', status: 'Failure', code });
    expect(status.message).toBe(message);
    expect((await kubectl.try('get secret bad')).code).toBe(1);
  });
});

test('a ConfigMap of more than 1 MiB → 422', async () => {
  const status = await post('/api/v1/namespaces/default/configmaps', {
    metadata: { name: 'bad' },
    data: { big: 'x'.repeat(1024 * 1024 + 1) },
  });
  expect(status.message).toBe(
    'ConfigMap "bad" is invalid: []: Too long: must have at most 1048576 bytes',
  );
});

describe('a Pod that cannot be', () => {
  const withSource = (source: object): object =>
    busyboxPod('bad', {
      spec: { volumes: [{ name: 'foo', secret: { secretName: 's', ...source } }] },
    });
  const withItem = (item: object): object => withSource({ items: [{ key: 'k', ...item }] });
  test.each([
    {
      fault: 'a path with ..',
      body: withItem({ path: 'a/../b' }),
      message:
        'spec.volumes[0].secret.items[0].path: Invalid value: "a/../b": must not contain \'..\'',
    },
    {
      fault: 'an absolute path',
      body: withItem({ path: '/etc/passwd' }),
      message:
        'spec.volumes[0].secret.items[0].path: Invalid value: "/etc/passwd": must be a relative path',
    },
    {
      fault: 'a mode over 0777',
      body: withSource({ defaultMode: 512 }),
      message:
        'spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
    },
    {
      fault: 'a mount of a volume in which something is wrong',
      body: secretVolumePod('bad', 's', { source: { defaultMode: 512 } }),
      message:
        '[spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive, spec.containers[0].volumeMounts[0].name: Not found: "foo"]',
    },
    {
      fault: 'a duplicate mount path',
      body: busyboxPod('bad', {
        spec: { volumes: [{ name: 'v', emptyDir: {} }] },
        container: {
          volumeMounts: [
            { name: 'v', mountPath: '/x' },
            { name: 'v', mountPath: '/x' },
          ],
        },
      }),
      message: 'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/x": must be unique',
    },
    {
      fault: 'a mount of no volume',
      body: busyboxPod('bad', { container: { volumeMounts: [{ name: 'v', mountPath: '/x' }] } }),
      message: 'spec.containers[0].volumeMounts[0].name: Not found: "v"',
    },
  ])('$fault → 422', async ({ body, message }) => {
    const status = await post(pods, body);
    expect(status).toMatchObject({ code: 422, reason: 'Invalid' });
    expect(status.message).toBe(`Pod "bad" is invalid: ${message}`);
  });

  test('a malformed body → 400', async () => {
    const { code, stderr } = await kubectl.try('create --raw', [secrets, '-f', '-'], {
      input: '{"apiVersion": "v1", ',
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/unexpected end of JSON input|unexpected EOF/);
  });
});

describe('a pod that cannot start', () => {
  test('says why, and starts once the key is there', async () => {
    await kubectl('create secret generic half --from-literal=other=x');
    const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: 'half', key: 'missing' } } }];
    await kubectl.apply(busyboxPod('env-waits', { container: { env } }));
    await kubectl('wait pod/env-waits --timeout=30s', [
      '--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=CreateContainerConfigError',
    ]);
    expect(
      await kubectl(
        'get pod env-waits -o jsonpath={.status.containerStatuses[0].state.waiting.message}',
      ),
    ).toBe("couldn't find key missing in Secret default/half");
    expect(await kubectl('describe pod env-waits')).toMatch(
      /Warning\s+Failed\s+.*Error: couldn't find key missing in Secret default\/half/,
    );
    await kubectl('patch secret half -p {"stringData":{"missing":"found"}}');
    await kubectl('wait pod/env-waits --for=condition=Ready --timeout=60s');
    expect(await kubectl.sh('env-waits', 'echo $A')).toBe('found\n');
    await kubectl('delete pod/env-waits secret/half');
  });
});

test('a client that goes in the middle of its request is no fault of the server’s', async () => {
  const keylet = await startKeylet();
  try {
    const { server, ...tls } = await loadKubeconfig(keylet.kubeconfig);
    const { hostname, port } = new URL(server);
    const to = {
      host: hostname,
      port: Number(port),
      ca: tls.certificateAuthority,
      cert: tls.clientCertificate,
      key: tls.clientKey,
    };
    const socket = connect(to).on('error', () => undefined);
    await once(socket, 'secureConnect');
    const head = `POST ${secrets} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n`;
    socket.write(`${head}{"metadata":`, () => socket.destroy());
    await once(socket, 'close');
    const session = connectHttp2(server, to);
    const stream = session.request({ ':method': 'POST', ':path': secrets });
    stream.on('error', () => undefined);
    stream.write('{"metadata":', () => stream.close(constants.NGHTTP2_CANCEL));
    await once(stream, 'close');
    session.close();
    // Behind both of them.
    await keylet.kubectl('create secret generic whole');
  } finally {
    await keylet.stop();
  }
  expect(keylet.output()).not.toMatch(/failed|error/i);
});
