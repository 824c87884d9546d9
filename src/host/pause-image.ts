/**
 * The program that holds a pod's namespaces, as bytes: an ELF file of 151 (x86-64) or 188 (arm64) bytes that ignores SIGCHLD, so that the
 * kernel reaps orphans, and then sleeps for ever. containerd ends sandboxes with SIGKILL, so it needs no handler. No registry, no compiler.
 */
import { createHash } from "node:crypto";
import { grpcCode, isGrpcError, type GrpcClient } from "./grpc.ts";

const code = {
  // rt_sigaction(SIGCHLD, {SIG_IGN}, NULL, 8); for (;;) pause();
  x64: { machine: 62, architecture: "amd64", bytes: "31c05050506a016a0d586a115f4889e631d26a08415a0f056a22580f05ebf9" },
  // The same in 64-bit ARM, with ppoll(NULL, 0, NULL, NULL) as its pause.
  arm64: { machine: 183, architecture: "arm64", bytes: "200080d2ff8303d1e07f00a9ff7f01a9200280d2e1030091020080d2030180d2c81080d2010000d4000080d2010080d2020080d2030080d2280980d2010000d4faffff17" },
} as const;

export function pauseProgram(arch: keyof typeof code): Buffer {
  const { machine, bytes } = code[arch];
  const program = Buffer.from(bytes, "hex");
  const head = 120;
  const base = 0x400000n;
  const file = Buffer.alloc(head + program.length);
  file.write("\x7fELF", 0, "latin1");
  file.set([2, 1, 1, 0], 4);
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(base + BigInt(head), 24);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, 64);
  file.writeUInt32LE(5, 68);
  for (const at of [80, 88]) file.writeBigUInt64LE(base, at);
  for (const at of [96, 104]) file.writeBigUInt64LE(BigInt(file.length), at);
  file.writeBigUInt64LE(0x1000n, 112);
  file.set(program, head);
  return file;
}

const content = {
  path: "/containerd.services.content.v1.Content/Write",
  request: { action: [1, "enum"], ref: [2, "string"], total: [3, "int64"], expected: [4, "string"], offset: [5, "int64"], data: [6, "bytes"], labels: [7, "map"] },
  answer: { action: [1, "enum"], digest: [6, "string"] },
} as const;
const createImage = {
  path: "/containerd.services.images.v1.Images/Create",
  request: { image: [1, { name: [1, "string"], labels: [2, "map"], target: [3, { mediaType: [1, "string"], digest: [2, "string"], size: [3, "int64"] }] }] },
  answer: {},
} as const;
const commit = 2;

/** Puts the image into containerd's store under `reference`; one that is there already stays. */
export async function importPauseImage(containerd: GrpcClient, reference: string, arch: keyof typeof code): Promise<void> {
  const layer = tarOf("pause", pauseProgram(arch));
  const config = json({
    created: "1970-01-01T00:00:00Z", architecture: code[arch].architecture, os: "linux", config: { Entrypoint: ["/pause"] },
    rootfs: { type: "layers", diff_ids: [digestOf(layer)] }, history: [{ created: "1970-01-01T00:00:00Z", created_by: "timonier" }],
  });
  const manifest = json({
    schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor("application/vnd.oci.image.config.v1+json", config), layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
  });
  for (const blob of [layer, config, manifest])
    await unlessThere(containerd.call(content, {
      action: commit, ref: `timonier-${digestOf(blob)}`, total: blob.length, expected: digestOf(blob), data: blob,
      // A root of its own, so that containerd's collector cannot take it before the image refers to it.
      labels: { "containerd.io/gc.root": "1970-01-01T00:00:00Z" },
    }, { timeoutMs: 10_000 }));
  await unlessThere(containerd.call(createImage, { image: { name: reference, target: descriptor("application/vnd.oci.image.manifest.v1+json", manifest) } }, { timeoutMs: 10_000 }));
}

async function unlessThere(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isGrpcError(error, grpcCode.alreadyExists)) throw error;
  }
}

/** A tar archive with one executable file (ustar). */
function tarOf(name: string, file: Buffer): Buffer {
  const header = Buffer.alloc(512);
  const put = (text: string, at: number): void => void header.write(text, at, "latin1");
  put(name, 0);
  put("0000755\0", 100);
  put("0000000\0", 108);
  put("0000000\0", 116);
  put(`${file.length.toString(8).padStart(11, "0")}\0`, 124);
  put("00000000000\0", 136);
  put("        ", 148);
  put("0", 156);
  put("ustar\x0000", 257);
  put(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, file, Buffer.alloc((512 - (file.length % 512)) % 512 + 1024)]);
}

function descriptor(mediaType: string, blob: Buffer): { readonly mediaType: string; readonly digest: string; readonly size: number } {
  return { mediaType, digest: digestOf(blob), size: blob.length };
}
function digestOf(blob: Buffer): string {
  return `sha256:${createHash("sha256").update(blob).digest("hex")}`;
}
function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
