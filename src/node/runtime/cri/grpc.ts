import { memberOf } from '../../../machinery/member.ts';
import { fileURLToPath } from 'node:url';
import {
  credentials,
  loadPackageDefinition,
  Metadata,
  status,
  type ClientReadableStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { grpcErrorText } from '../../grpc-error-text.ts';
import { RuntimeError, type RuntimeErrorCode } from '../runtime-error.ts';

/** A gRPC service by method names. Messages are plain objects in camel case, 64-bit integers strings. */
export interface GrpcService {
  /** @throws RuntimeError with the kubelet's text */
  call<R>(method: string, request: object, timeoutMs?: number): Promise<R>;
  stream(method: string, request: object): ClientReadableStream<unknown>;
  close(): void;
}

const loaded = loadSync(
  ['cri.proto', 'containerd-events.proto'].map(file =>
    fileURLToPath(new URL(file, import.meta.url)),
  ),
  { longs: String, enums: String, defaults: true, bytes: Buffer },
);
const definition = loadPackageDefinition(loaded);

type Method = (
  request: object,
  metadata: Metadata,
  options: object,
  callback?: (error: ServiceError | null, value: unknown) => void,
) => ClientReadableStream<unknown>;

/**
 * @param name such as `runtime.v1.RuntimeService`
 * @param endpoint path of a unix socket, with or without `unix://`
 */
export function openService(
  name: string,
  endpoint: string,
  headers: Record<string, string> = {},
): GrpcService {
  let at: unknown = definition;
  for (const part of name.split('.')) at = memberOf(at, part);
  const Client = at as new (
    address: string,
    channelCredentials: unknown,
    options: object,
  ) => Record<string, Method> & { close(): void };
  const address = `unix://${endpoint.replace(/^unix:\/\//, '')}`;
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 64 * 1024 * 1024,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.default_authority': 'localhost',
  });
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  const method = (of: string): Method => {
    const found = client[of];
    if (found === undefined) throw new TypeError(`No method ${of} in ${name}`);
    return found.bind(client);
  };
  return {
    call: <R>(of: string, request: object, timeoutMs?: number) =>
      new Promise<R>((resolve, reject) => {
        const options = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
        method(of)(request, metadata, options, (error, value) => {
          if (error === null) resolve(value as R);
          else reject(runtimeError(error));
        });
      }),
    stream: (of, request) => method(of)(request, metadata, {}),
    close: () => client.close(),
  };
}

const codes: Partial<Record<number, RuntimeErrorCode>> = {
  [status.NOT_FOUND]: 'not-found',
  [status.ALREADY_EXISTS]: 'already-exists',
  [status.DEADLINE_EXCEEDED]: 'timeout',
  [status.UNAVAILABLE]: 'unavailable',
  [status.INVALID_ARGUMENT]: 'invalid-argument',
};

const runtimeError = (error: ServiceError): RuntimeError =>
  new RuntimeError(codes[error.code] ?? 'unknown', grpcErrorText(error), { cause: error });

/** Fields 1 and 2 of TaskStart, TaskExit and ContainerDelete: short strings, read off the wire. */
export function decodeTaskEvent(bytes: Buffer): { containerId: string; id: string } {
  const found: Record<number, string> = {};
  for (let at = 0; at + 1 < bytes.length;) {
    const key = bytes[at] ?? 0;
    if ((key & 7) !== 2) break;
    const length = bytes[at + 1] ?? 0;
    found[key >> 3] = bytes.toString('utf8', at + 2, at + 2 + length);
    at += 2 + length;
  }
  return { containerId: found[1] ?? '', id: found[2] ?? '' };
}
