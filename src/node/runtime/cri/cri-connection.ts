import { openService, type GrpcService } from './grpc.ts';

export const callTimeoutMs = 2 * 60_000;
export const sandboxTimeoutMs = 4 * 60_000;

/** Calls one method of a CRI service. @throws RuntimeError */
export type Call = <R>(method: string, request: object, timeoutMs?: number) => Promise<R>;

/** The two services of one CRI socket. */
export interface CriConnection {
  /** Path of the unix socket. */
  readonly endpoint: string;
  readonly runtimeService: GrpcService;
  /** A method of RuntimeService. @default timeoutMs callTimeoutMs */
  readonly call: Call;
  /** A method of ImageService; without `timeoutMs` it may take as long as it needs. */
  readonly callImages: Call;
  close(): void;
}

/** Connects when first used. */
export function openCriConnection(endpoint: string): CriConnection {
  const runtimeService = openService('runtime.v1.RuntimeService', endpoint);
  const imageService = openService('runtime.v1.ImageService', endpoint);
  return {
    endpoint,
    runtimeService,
    call: (method, request, timeoutMs = callTimeoutMs) =>
      runtimeService.call(method, request, timeoutMs),
    callImages: (method, request, timeoutMs) => imageService.call(method, request, timeoutMs),
    close() {
      runtimeService.close();
      imageService.close();
    },
  };
}
