/** What a machine looks like after it went down hard: no process, no mount, no address, an empty run folder, another boot id. Everything must come back by itself. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { image, Scratch } from "./harness.ts";

const scratch = new Scratch();
before(async () => {
  await scratch.registry();
  // Ports of its own: while everything is down, another cluster on this machine could take the usual ones.
  const result = scratch.timonier("up", "--port", "17463", "--node-port", "17270");
  assert.equal(result.code, 0, result.err + result.out);
  await scratch.until("the default service account", () => scratch.kubectl("get", "serviceaccount", "default").code === 0);
});
after(async () => {
  const result = scratch.timonier("delete");
  assert.equal(result.code, 0, result.err + result.out);
  await scratch.close();
});

const shell = (script: string): string => spawnSync("sh", ["-c", script], { encoding: "utf8" }).stdout.trim();
type Pod = { readonly metadata: { readonly name: string }; readonly status: { readonly podIP?: string; readonly phase: string; readonly containerStatuses?: readonly { readonly ready: boolean; readonly restartCount: number }[] } };
const pods = (): readonly Pod[] => JSON.parse(scratch.k("get pods -o json")).items;
const ready = (): boolean => pods().length === 4 && pods().every(({ status }) => status.containerStatuses?.every(each => each.ready));

const runFolder = (): string => (JSON.parse(readFileSync(join(scratch.dataDir, "timonier/cluster.json"), "utf8")) as { readonly runFolder: string }).runFolder;

/** All that a power cut ends, and of what lies on the disk only what nobody had synced. */
function powerCut(): void {
  const cluster = JSON.parse(readFileSync(join(scratch.dataDir, "timonier/cluster.json"), "utf8")) as { readonly id: string; readonly runFolder: string };
  const pids = [...readdirSync(cluster.runFolder).filter(name => name.endsWith(".keeper")), "agent.pid", "server.pid"].map(name => readFileSync(join(cluster.runFolder, name), "utf8").split(" ")[0]!.trim());
  const processFile = join(scratch.dataDir, "timonier/containerd/process.json");
  const containerd = JSON.parse(readFileSync(processFile, "utf8")) as { readonly pid: number };
  shell(`kill -9 ${pids.join(" ")} ${containerd.pid}`);
  shell(`for p in $(grep -la -- '-address.${cluster.runFolder}/containerd.sock' /proc/[0-9]*/cmdline | cut -d/ -f3); do kill -9 $p; done`);
  shell(`cat $(find /sys/fs/cgroup/*/timonier-${cluster.id} /sys/fs/cgroup/timonier-${cluster.id} -name cgroup.procs 2>/dev/null) | sort -u | xargs -r kill -9; for i in $(seq 100); do [ -z "$(find /sys/fs/cgroup/*/timonier-${cluster.id} /sys/fs/cgroup/timonier-${cluster.id} -name cgroup.procs -exec cat {} + 2>/dev/null)" ] && break; sleep 0.1; done`);
  shell(`for i in 1 2 3; do awk '{print $5}' /proc/self/mountinfo | grep -E '^(${cluster.runFolder}|${scratch.folder})' | tac | xargs -r -n1 umount -l; done`);
  shell(`nft list tables | grep timonier | grep ${cluster.id.replaceAll("-", "_")} | sed 's/^/delete /' | nft -f -; ip address del 10.96.0.10/32 dev lo; find /sys/fs/cgroup -depth -type d -path '*timonier-${cluster.id}*' -exec rmdir {} +`);
  // CNI's library writes its notes without a sync.
  const emptied = shell(`cd /var/lib/cni/results; for note in timonier-${cluster.id}-*; do sandbox=\${note%-eth0}; for each in $note cni-loopback-\${sandbox##*-}-lo; do [ -s "$each" ] && : > "$each" && echo "$each"; done; done`);
  assert.ok(emptied.split("\n").length >= 4, `notes of four pods are emptied: ${emptied}`);
  rmSync(cluster.runFolder, { recursive: true, force: true });
  writeFileSync(processFile, JSON.stringify({ ...containerd, bootId: "00000000-0000-0000-0000-000000000000" }));
}

test("after a hard reboot every pod is back, with its own address, and no hand was needed", async () => {
  scratch.k(`create deployment web --image=${image("hello:v1")} --replicas=3`);
  scratch.k(`run alone --image=${image("busybox:1")} -- sh -c 'trap "exit 0" TERM; sleep 3600 & wait'`);
  await scratch.until("all are ready", ready);
  powerCut();
  const result = scratch.timonier("up");
  assert.equal(result.code, 0, result.err + result.out);
  await scratch.until("all are ready again", () => ready() && pods().every(({ status }) => status.containerStatuses?.[0]?.restartCount === 1), 120);
  assert.equal(new Set(pods().map(({ status }) => status.podIP)).size, 4);
  await scratch.says("no address of the time before is still taken", "4", () => shell(`ls ${runFolder()}/cni-ipam/*/ | grep -c '^10\\.'`));
  assert.doesNotMatch(scratch.log("agent"), /is reserved/);
  await scratch.says("it serves", "hello v1\n", () => { const { out, err } = scratch.kubectl("exec", "deploy/web", "--", "wget", "-qO-", "http://127.0.0.1:5000"); return out || err; });
});
