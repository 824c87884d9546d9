import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { removeShimSockets } from "./shim-sockets.ts";

test("only sockets of containerd's own folder are removed; a bundle without an address is passed over", () => {
  const state = mkdtempSync(join(tmpdir(), "timonier-shims-"));
  try {
    const other = join(state, "precious");
    writeFileSync(other, "");
    for (const [id, text] of [["a", `unix://${other}`], ["b", "unix:///run/containerd/s/../../../etc/passwd"], ["c", `unix:///run/containerd/s/${"0".repeat(64)}`]] as const) {
      mkdirSync(join(state, "io.containerd.runtime.v2.task/k8s.io", id), { recursive: true });
      writeFileSync(join(state, "io.containerd.runtime.v2.task/k8s.io", id, "address"), text);
    }
    mkdirSync(join(state, "io.containerd.runtime.v2.task/k8s.io/d"));
    const removed: string[] = [];
    removeShimSockets(state, path => removed.push(path));
    removeShimSockets(join(state, "nothing"), path => removed.push(path));
    assert.deepEqual(removed, [`/run/containerd/s/${"0".repeat(64)}`]);
  } finally {
    rmSync(state, { recursive: true });
  }
});
