import { status, type ServiceError } from '@grpc/grpc-js';

/** Go's names of the codes, where they are not just the name in camel case. */
const goNames: Partial<Record<number, string>> = {
  [status.CANCELLED]: 'Canceled',
  [status.OK]: 'OK',
};

/** An error of gRPC as Go prints it, and as it stands in the kubelet's messages. */
export function grpcErrorText({ code, details }: Pick<ServiceError, 'code' | 'details'>): string {
  const name =
    goNames[code] ??
    (status[code] ?? 'UNKNOWN')
      .toLowerCase()
      .replaceAll(/(?:^|_)(\w)/g, (_all, letter: string) => letter.toUpperCase());
  // grpc-js appends a note also where it has nothing to add.
  return `rpc error: code = ${name} desc = ${details.replace(/\. Resolution note: $/, '')}`;
}
