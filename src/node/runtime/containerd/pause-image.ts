import { memberOf } from '../../../machinery/member.ts';
import { ociArchive, ociImage } from '../archive/oci-image.ts';

/** What sandboxes run. Made here, so that none has to be pulled. */
export const pauseImageName = 'keylet.dev/pause:1';

/*
 * Process 1 of a sandbox: ignores SIGCHLD, so that the kernel reaps what is left to it, and waits
 * for ever. The runtime ends it with SIGKILL.
 */
const code: Partial<Record<string, { machine: number; bytes: Buffer }>> = {
  x64: {
    machine: 62,
    bytes: Buffer.from(
      [
        '4883ec20', //             sub  rsp, 32            struct sigaction
        '48c7042401000000', //     mov  [rsp], 1           SIG_IGN
        '48c744240800000000', //   mov  [rsp+8], 0         flags
        '48c744241000000000', //   mov  [rsp+16], 0        restorer
        '48c744241800000000', //   mov  [rsp+24], 0        mask
        'b80d000000', //           mov  eax, 13            rt_sigaction
        'bf11000000', //           mov  edi, 17            SIGCHLD
        '4889e6', //               mov  rsi, rsp
        '31d2', //                 xor  edx, edx
        '41ba08000000', //         mov  r10d, 8
        '0f05', //                 syscall
        'b822000000', //     wait: mov  eax, 34            pause
        '0f05', //                 syscall
        'ebf7', //                 jmp  wait
      ].join(''),
      'hex',
    ),
  },
  arm64: {
    machine: 183,
    bytes: words(
      0xd10083ff, //       sub  sp, sp, #32                struct sigaction
      0xd2800029, //       mov  x9, #1                     SIG_IGN
      0xa9007fe9, //       stp  x9, xzr, [sp]
      0xa9017fff, //       stp  xzr, xzr, [sp, #16]
      0xd28010c8, //       mov  x8, #134                   rt_sigaction
      0xd2800220, //       mov  x0, #17                    SIGCHLD
      0x910003e1, //       mov  x1, sp
      0xd2800002, //       mov  x2, #0
      0xd2800103, //       mov  x3, #8
      0xd4000001, //       svc  #0
      0xd2800000, // wait: mov  x0, #0
      0xd2800001, //       mov  x1, #0
      0xd2800002, //       mov  x2, #0
      0xd2800003, //       mov  x3, #0
      0xd2800928, //       mov  x8, #73                    ppoll
      0xd4000001, //       svc  #0
      0x17fffffa, //       b    wait
    ),
  },
};

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32LE(value, i * 4));
  return bytes;
}

/** @throws Error on a processor that there is no code for */
export function pauseArchive(arch: string = process.arch): Buffer {
  const found = memberOf(code, arch);
  if (found === undefined)
    throw new Error(
      `There is no pause program for ${arch}: give a runtime with --runtime-endpoint`,
    );
  const content = elf(found.machine, found.bytes);
  return ociArchive(
    ociImage([{ path: 'pause', content, mode: 0o755 }], { Entrypoint: ['/pause'] }),
    pauseImageName,
  );
}

const base = 0x400000n;
const headerBytes = 64 + 56;

/** A static 64-bit little-endian executable of one segment. */
function elf(machine: number, text: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(header);
  header.writeUInt16LE(2, 16); // executable
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20); // version
  header.writeBigUInt64LE(base + BigInt(headerBytes), 24); // entry
  header.writeBigUInt64LE(64n, 32); // program headers
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(1, 64); // PT_LOAD
  header.writeUInt32LE(5, 68); // read, execute
  header.writeBigUInt64LE(base, 80);
  header.writeBigUInt64LE(base, 88);
  header.writeBigUInt64LE(BigInt(headerBytes + text.length), 96);
  header.writeBigUInt64LE(BigInt(headerBytes + text.length), 104);
  header.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([header, text]);
}
