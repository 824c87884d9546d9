import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../kinds/core/pod.ts";
import type { Claimed } from "./claims.ts";
import type { Files } from "./host.ts";
import type { NodeFacts } from "./sandbox-config.ts";
import { Volumes } from "./volumes.ts";

/** A disk that remembers files and says whom folders were given to. */
function disk(): { readonly files: Files; readonly given: string[] } {
  const kept = new Map<string, Uint8Array>(), given: string[] = [];
  const files = {
    makeFolder: async () => undefined, checkHostPath: async () => undefined, list: async () => [],
    writeFile: async (path: string, content: string) => void kept.set(path, new TextEncoder().encode(content)),
    readTail: async (path: string) => kept.get(path),
    setGroup: async (path: string, group: number, _readOnly: boolean, unlessRight = false) => void given.push(`${path} to ${group}${unlessRight ? " unless right" : ""}`),
  };
  return { files: files as unknown as Files, given };
}
const claimed: Claimed = { path: "/volumes/data", type: "DirectoryOrCreate", readOnly: false, own: true, plugin: "kubernetes.io/host-path" };
const agent = (files: Files, found: Partial<Claimed> = {}): Volumes => new Volumes(files, { podsDir: "/pods" } as NodeFacts, {} as never, {} as never, async () => ({ ...claimed, ...found }));
function podWith(uid: string, securityContext: object): Pod {
  const container = { name: "main", volumeMounts: [{ name: "data", mountPath: "/data" }, { name: "scratch", mountPath: "/scratch" }] };
  return { metadata: { name: "db", namespace: "default", uid }, spec: { securityContext, containers: [container], volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }, { name: "scratch", emptyDir: {} }] } } as unknown as Pod;
}
const around = { references: { use: () => undefined } } as never;

test("a pod's group gets its volumes once in the pod's life, though the agent starts anew", async () => {
  const { files, given } = disk();
  const once = ["/volumes/data to 26", "/pods/1/volumes/kubernetes.io~empty-dir/scratch to 26"];
  assert.deepEqual(await agent(files).ensure(podWith("1", { fsGroup: 26 }), around), []);
  assert.deepEqual(given, once);
  await agent(files).ensure(podWith("1", { fsGroup: 26 }), around);
  assert.deepEqual(given, once);
  await agent(files).ensure(podWith("2", { fsGroup: 26, fsGroupChangePolicy: "OnRootMismatch" }), around);
  assert.deepEqual(given.slice(2), ["/volumes/data to 26 unless right", "/pods/2/volumes/kubernetes.io~empty-dir/scratch to 26"]);
});

for (const [what, found] of [["that is somebody's own path", { own: false }], ["that is read only", { readOnly: true }]] as const)
  test(`a claim's volume ${what} is given to no group`, async () => {
    const { files, given } = disk();
    await agent(files, found).ensure(podWith("1", { fsGroup: 26 }), around);
    assert.deepEqual(given, ["/pods/1/volumes/kubernetes.io~empty-dir/scratch to 26"]);
  });
