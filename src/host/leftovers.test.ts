import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startTimeOf } from "./daemon.ts";
import { forgetBrokenResults, StrayShims } from "./leftovers.ts";

/** A process that looks like a shim of this id and socket. */
async function shim(id: string, socket: string): Promise<number> {
  const child = spawn("/bin/sh", ["-c", "echo; sleep 60; true", "-namespace", "k8s.io", "-id", id, "-address", socket], { argv0: "/usr/bin/containerd-shim-runc-v2", stdio: ["ignore", "pipe", "ignore"] });
  await new Promise<void>(done => child.stdout.once("data", () => done()));
  child.stdout.destroy();
  child.unref();
  return child.pid!;
}

test("a shim that the runtime does not list is ended at the second look, others never", async () => {
  const socket = `/nowhere/${process.pid}.sock`;
  const [known, stray, foreign] = await Promise.all([shim("known", socket), shim("stray", socket), shim("stray", `${socket}.other`)]);
  try {
    const strays = new StrayShims(socket);
    const listed = async () => new Set(["known"]);
    assert.deepEqual(await strays.look(listed), []);
    assert.deepEqual(await strays.look(async () => new Set(["known", "stray"])), [], "it was only late");
    assert.deepEqual(await strays.look(listed), []);
    assert.deepEqual(await strays.look(listed), ["stray"]);
    assert.equal(startTimeOf(stray!), undefined);
    assert.notEqual(startTimeOf(known!), undefined);
    assert.notEqual(startTimeOf(foreign!), undefined);
  } finally {
    for (const pid of [known!, foreign!]) process.kill(pid, "SIGKILL");
  }
});

test("what plugins answered and cannot be read is taken away, others' networks are left", async () => {
  const folder = mkdtempSync(join(tmpdir(), "timonier-results-"));
  try {
    const files = { "timonier-a-1-eth0": "{}", "timonier-a-2-eth0": "", "timonier-a-3-eth0": '{"cniVersion":', "timonier-b-4-eth0": "", "cni-loopback-1-lo": "{}", "cni-loopback-2-lo": "\0\0\0" };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    await forgetBrokenResults("timonier-a", folder);
    assert.deepEqual(readdirSync(folder).sort(), ["cni-loopback-1-lo", "timonier-a-1-eth0", "timonier-b-4-eth0"]);
    await forgetBrokenResults("timonier-a", join(folder, "absent"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
