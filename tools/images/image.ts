/** Makes an OCI image of a folder and pushes it to a registry on the loopback. Needs `tar`, nothing else. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

export type ImageConfig = {
  readonly Cmd?: readonly string[]; readonly Entrypoint?: readonly string[]; readonly Env?: readonly string[]; readonly User?: string; readonly WorkingDir?: string;
  readonly StopSignal?: string; readonly ExposedPorts?: { readonly [port: string]: object };
};
const pathEnv = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** An empty root folder to fill and push, gone afterwards. */
export async function withRoot<T>(use: (root: string) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), "timonier-image-"));
  try {
    chmodSync(root, 0o755);
    return await use(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** `reference` is host:port/name:tag; the registry speaks plain HTTP. Resolves to the manifest's digest. */
export async function pushImage(root: string, reference: string, config: ImageConfig): Promise<string> {
  const [, registry, name, tag] = /^([^/]+)\/(.+):([^:/]+)$/.exec(reference) ?? [];
  if (!registry || !name || !tag) throw new Error(`not host:port/name:tag: ${reference}`);
  const packed = spawnSync("tar", ["-C", root, "--sort=name", "--mtime=@0", "--numeric-owner", "--owner=0", "--group=0", "-cf", "-", "."], { maxBuffer: 2 ** 31 - 1 });
  if (packed.status !== 0) throw new Error(`tar: ${packed.stderr}`);
  const layer = gzipSync(packed.stdout, { level: 1 });
  const body = json({
    created: "1970-01-01T00:00:00Z", architecture: process.arch === "arm64" ? "arm64" : "amd64", os: "linux", config: { ...config, Env: [pathEnv, ...(config.Env ?? [])] },
    rootfs: { type: "layers", diff_ids: [digest(packed.stdout)] }, history: [{ created: "1970-01-01T00:00:00Z", created_by: "timonier tools/images" }],
  });
  const manifest = json({
    schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: digest(body), size: body.length },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: digest(layer), size: layer.length }],
  });
  for (const blob of [layer, body]) await pushBlob(`http://${registry}/v2/${name}`, blob);
  const answer = await fetch(`http://${registry}/v2/${name}/manifests/${tag}`, { method: "PUT", body: new Uint8Array(manifest), headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" } });
  if (answer.status !== 201) throw new Error(`pushing ${reference}: ${answer.status} ${await answer.text()}`);
  return digest(manifest);
}

async function pushBlob(repository: string, blob: Buffer): Promise<void> {
  if ((await fetch(`${repository}/blobs/${digest(blob)}`, { method: "HEAD" })).ok) return;
  const begun = await fetch(`${repository}/blobs/uploads/`, { method: "POST" });
  const upload = new URL(begun.headers.get("location") ?? "", repository);
  upload.searchParams.set("digest", digest(blob));
  const done = await fetch(upload, { method: "PUT", body: new Uint8Array(blob), headers: { "content-type": "application/octet-stream" } });
  if (done.status !== 201) throw new Error(`pushing a blob to ${repository}: ${done.status} ${await done.text()}`);
}

function digest(blob: Buffer): string {
  return `sha256:${createHash("sha256").update(blob).digest("hex")}`;
}
function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
