/** The real Helm against simulated nodes, where `TIMONIER_HELM` says where it is: neither Debian nor npm has it. `test/helm.test.ts` asks the same without it. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Scratch } from "./harness.ts";

const helm = process.env["TIMONIER_HELM"];
const hook = `apiVersion: batch/v1
kind: Job
metadata: { name: '{{ include "web.fullname" . }}-pre', annotations: { "helm.sh/hook": "pre-install,pre-upgrade,post-rollback", "helm.sh/hook-weight": "1", "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded" } }
spec: { template: { spec: { restartPolicy: Never, containers: [{ name: c, image: busybox, command: ["true"] }] } } }
`;

if (helm !== undefined) test("Helm installs, upgrades, rolls back and uninstalls its own chart with a hook, waiting for everything", async () => {
  const scratch = new Scratch();
  const up = scratch.timonier("up", "--runtime", "simulated", "--port", "17953", "--node-port", "17960");
  assert.equal(up.code, 0, up.err);
  const run = (...args: readonly string[]): string => {
    const { code, out, err } = scratch.run(helm, args);
    assert.equal(code, 0, `helm ${args.join(" ")}: ${err}${out}`);
    return out;
  };
  run("create", "web");
  mkdirSync(join(scratch.folder, "web", "templates"), { recursive: true });
  writeFileSync(join(scratch.folder, "web", "templates", "hook.yaml"), hook);
  const to = ["-n", "shop", "--wait", "--timeout", "90s"];
  run("install", "web", "./web", "--create-namespace", ...to);
  run("upgrade", "web", "./web", "--set", "replicaCount=2", ...to);
  assert.equal(scratch.k("get deployment web -n shop -o jsonpath={.status.readyReplicas}"), "2");
  run("rollback", "web", "1", ...to);
  assert.match(run("history", "web", "-n", "shop"), /superseded[^]*superseded[^]*deployed[^\n]*Rollback to 1/);
  run("uninstall", "web", ...to);
  await scratch.until("nothing is left", () => scratch.k("get all -n shop -o name") === "");
  const gone = scratch.timonier("delete");
  assert.equal(gone.code, 0, gone.err);
  await scratch.close();
});
