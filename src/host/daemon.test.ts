import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { daemonOf, startDaemon, startTimeOf, stopDaemon } from "./daemon.ts";

const until = async <T>(what: () => Promise<T | undefined>): Promise<T> => {
  for (;;) {
    const value = await what();
    if (value !== undefined) return value;
    await new Promise(done => setTimeout(done, 5));
  }
};

test("a daemon that is killed comes back under a new pid, and ends for good when stopped", async () => {
  const folder = await mkdtemp(join(tmpdir(), "timonier-daemon-"));
  const script = process.argv[1]!;
  process.argv[1] = "-e";
  try {
    await startDaemon({ name: "sleeper", args: ["setInterval(() => {}, 1000)"], runFolder: folder, logFile: join(folder, "log") });
    const first = await until(() => daemonOf("sleeper", folder));
    process.kill(first.pid, "SIGKILL");
    const second = await until(async () => { const now = await daemonOf("sleeper", folder); return now && now.pid !== first.pid ? now : undefined; });
    await stopDaemon("sleeper", folder, 5_000);
    assert.equal(startTimeOf(second.pid), undefined);
    assert.equal(await daemonOf("sleeper", folder), undefined);
  } finally {
    process.argv[1] = script;
    await stopDaemon("sleeper", folder, 1_000);
    await rm(folder, { recursive: true, force: true });
  }
});

test("the start time of a process that is gone is unknown", async () => {
  const child = spawn("true");
  await new Promise(done => child.once("close", done));
  assert.equal(startTimeOf(child.pid!), undefined);
});
