/** Persistent volumes on one node: made when a pod needs them, kept from pod to pod, gone with their claim. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { image, Scratch } from "./harness.ts";

const scratch = new Scratch();
before(async () => {
  await scratch.registry();
  const result = scratch.timonier("up");
  assert.equal(result.code, 0, result.err + result.out);
  await scratch.until("the default service account", () => scratch.kubectl("get", "serviceaccount", "default").code === 0);
});
after(async () => {
  const result = scratch.timonier("delete");
  assert.equal(result.code, 0, result.err);
  await scratch.close();
});

const create = (object: object): void => void scratch.k("create -f -", JSON.stringify(object));
const folders = (): readonly string[] => readdirSync(join(scratch.dataDir, "timonier/volumes"));
async function run(name: string, script: string, volumes: readonly object[]): Promise<string> {
  create({
    apiVersion: "v1", kind: "Pod", metadata: { name },
    spec: { restartPolicy: "Never", securityContext: { runAsUser: 1000, fsGroup: 2000 }, containers: [{ name: "a", image: image("busybox:1"), command: ["sh", "-c", script], volumeMounts: volumes.map((_, i) => ({ name: `v${i}`, mountPath: `/v${i}` })) }], volumes: volumes.map((volume, i) => ({ name: `v${i}`, ...volume })) },
  });
  await scratch.until(`${name} has ended`, () => ["Succeeded", "Failed"].includes(JSON.parse(scratch.k(`get pod ${name} -o json`)).status.phase));
  const said = scratch.k(`logs ${name}`);
  scratch.k(`delete pod ${name}`);
  return said;
}

test("what one pod writes to its claim another one reads, and the claim's end is the folder's", async () => {
  create({ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } });
  const claim = { persistentVolumeClaim: { claimName: "data" } };
  const ephemeral = { ephemeral: { volumeClaimTemplate: { spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } } } } };
  assert.equal(await run("writer", "echo kept > /v0/x && echo gone > /v1/y && stat -c %g /v0/x", [claim, ephemeral]), "2000\n");
  assert.equal(await run("reader", "cat /v0/x; touch /v0/z 2>&1 | grep -o Read-only", [{ persistentVolumeClaim: { claimName: "data", readOnly: true } }]), "kept\nRead-only\n");
  await scratch.until("the ephemeral volume went with its pod", () => folders().length === 1);
  scratch.k("delete pvc data");
  await scratch.until("nothing is left", () => folders().length === 0);
});
