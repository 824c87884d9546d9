import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
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

/** Runs `test` with a daemon that is this JavaScript; gives its log. */
async function withDaemon(source: string, test: (folder: string) => Promise<void>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "timonier-daemon-"));
  const script = process.argv[1]!;
  process.argv[1] = "-e";
  try {
    await startDaemon({ name: "it", args: [source], runFolder: folder, logFile: join(folder, "log") });
    await test(folder);
    return await readFile(join(folder, "log"), "utf8");
  } finally {
    process.argv[1] = script;
    await stopDaemon("it", folder, 1_000);
    await rm(folder, { recursive: true, force: true });
  }
}
const waits = (log: string): string[] => [...log.matchAll(/starting again in (\d+) s/g)].map(match => match[1]!);

test("a daemon that is killed again and again does not wait longer each time", async () => {
  const log = await withDaemon("setInterval(() => {}, 1000)", async folder => {
    let last = -1;
    for (let kills = 0; kills < 4; kills++) {
      last = await until(async () => { const now = await daemonOf("it", folder); return now && now.pid !== last ? now.pid : undefined; });
      process.kill(last, "SIGKILL");
    }
    await until(async () => { const now = await daemonOf("it", folder); return now && now.pid !== last ? now : undefined; });
  });
  assert.equal(waits(log).length, 4);
  assert.deepEqual(waits(log).slice(0, 3), ["0", "0", "0"], "three times at once, whatever it lived");
  assert.deepEqual(waits(log).filter(wait => Number(wait) > 1), []);
});

test("a daemon that ends by itself waits longer each time, and comes back meanwhile", async () => {
  const log = await withDaemon("process.exit(1)", folder => until(async () => (waits(await readFile(join(folder, "log"), "utf8")).length >= 3 ? true : undefined)).then(() => undefined));
  assert.deepEqual(waits(log).slice(0, 3), ["0", "1", "3"]);
});

test("a daemon that does not hear that it should stop is killed", async () => {
  await withDaemon("process.on('SIGTERM', () => {}); console.log('here'); for (;;);", async folder => {
    const { pid } = await until(async () => ((await readFile(join(folder, "log"), "utf8")).includes("here") ? daemonOf("it", folder) : undefined));
    await stopDaemon("it", folder, 200);
    assert.equal(startTimeOf(pid), undefined);
  });
});

test("a daemon that ends at once when told to leaves no helper of its keeper behind", async () => {
  for (let round = 0; round < 10; round++) {
    await withDaemon("setInterval(() => {}, 1000)", async folder => {
      await until(() => daemonOf("it", folder));
      await stopDaemon("it", folder, 5_000);
      // One that was killed before it first ran is there until the kernel lets it run; one that was forgotten stays for 15 s.
      const left = (): string => spawnSync("pgrep", ["-fa", folder], { encoding: "utf8" }).stdout;
      for (let looks = 0; left() !== "" && looks < 50; looks++) await new Promise(done => setTimeout(done, 50));
      assert.equal(left(), "");
    });
  }
});

test("a daemon is the last that the kernel kills for want of memory, where we may ask for that (P29)", async () => {
  const asked = spawnSync("/bin/sh", ["-c", "{ echo -999 > /proc/self/oom_score_adj; } 2>/dev/null; cat /proc/self/oom_score_adj"], { encoding: "utf8" }).stdout;
  await withDaemon("setInterval(() => {}, 1000)", async folder => {
    const { pid } = await until(() => daemonOf("it", folder));
    assert.equal(await readFile(`/proc/${pid}/oom_score_adj`, "utf8"), asked);
  });
});

test("the start time of a process that is gone is unknown", async () => {
  const child = spawn("true");
  await new Promise(done => child.once("close", done));
  assert.equal(startTimeOf(child.pid!), undefined);
});

test("a process whose keeper was killed is known, is stopped, and has a keeper again after a start", async () => {
  await withDaemon("setInterval(() => {}, 1000)", async folder => {
    const killKeeper = async (): Promise<number> => {
      const { pid } = await until(() => daemonOf("it", folder));
      const keeper = Number((await readFile(join(folder, "it.pid.keeper"), "utf8")).split(" ")[0]);
      process.kill(keeper, "SIGKILL");
      const alone = await until(async () => { const now = await daemonOf("it", folder); return now?.kept === false ? now : undefined; });
      assert.equal(alone.pid, pid);
      return pid;
    };
    const first = await killKeeper();
    await startDaemon({ name: "it", args: ["setInterval(() => {}, 1000)"], runFolder: folder, logFile: join(folder, "log") });
    assert.equal(startTimeOf(first), undefined);
    const second = await killKeeper();
    await stopDaemon("it", folder, 5_000);
    assert.deepEqual([startTimeOf(second), await daemonOf("it", folder)], [undefined, undefined]);
  });
});
