/** What pods are promised on a node, with real containers: volumes, environment, users, limits, probes, hooks, logs, and ends. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { image, Scratch } from "./harness.ts";

const scratch = new Scratch();
const busybox = image("busybox:1");
type Status = { readonly phase: string; readonly podIP?: string; readonly containerStatuses: readonly { readonly ready: boolean; readonly restartCount: number; readonly containerID: string; readonly state: any; readonly lastState: any }[] };

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

const runFolder = (): string => (JSON.parse(readFileSync(join(scratch.dataDir, "timonier/cluster.json"), "utf8")) as { readonly runFolder: string }).runFolder;

function create(name: string, spec: object, labels = {}): void {
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name, labels }, spec: { terminationGracePeriodSeconds: 2, ...spec } };
  scratch.k("create -f -", JSON.stringify(pod));
}
const sh = (script: string, more: object = {}): object => ({ name: "main", image: busybox, command: ["sh", "-c", script], ...more });
const stay = "trap 'exit 0' TERM; sleep 3600 & wait";
const status = (name: string): Status => JSON.parse(scratch.k(`get pod ${name} -o json`)).status;
const running = (name: string): Promise<Status> => scratch.until(`${name} is running`, () => { const found = status(name); return found.phase === "Running" && found.containerStatuses?.every(({ state }) => state.running) ? found : false; });
const ended = (name: string): Promise<Status> => scratch.until(`${name} has ended`, () => { const found = status(name); return ["Succeeded", "Failed"].includes(found.phase) ? found : false; });
const logs = (name: string): string => scratch.k(`logs ${name}`);
const exec = (name: string, script: string): string => { const { out, err, code } = scratch.kubectl("exec", name, "--", "sh", "-c", script); return code === 0 ? out.trim() : `${code}: ${out}${err}`; };
const cgroupOf = (name: string): string => readFileSync(`/proc/${hostPid(name)}/cgroup`, "utf8").split("\n").find(line => line.includes(":memory:") || line.startsWith("0::"))!.split(":")[2]!;
/** The host's pid of the container's main process: in its own namespace it is the first. */
function hostPid(name: string): string {
  const id = status(name).containerStatuses[0]!.containerID.replace("containerd://", "");
  return spawnSync("sh", ["-c", `for each in $(grep -ls ${id} /proc/[0-9]*/cgroup); do grep -qs '^NSpid:.*[[:space:]]1$' "\${each%cgroup}status" && echo "$each"; done`], { encoding: "utf8" }).stdout.split("/")[2] ?? "";
}

test("volumes show config maps, secrets, the downward API, memory and files, read-only where they must be", async () => {
  scratch.k("create configmap settings --from-literal=colour=red --from-literal=size=big");
  scratch.k("create secret generic keys --from-literal=password=hunter2");
  create("volumes", {
    restartPolicy: "Never",
    containers: [sh("cat /c/colour /only/renamed /s/password /d/name; stat -c %a /s/..data/password; touch /c/x 2>&1; echo hi > /e/f; cat /sub; df -m /m | tail -1 | awk '{print $2}'; cat /all/token | wc -c; ls /all", {
      volumeMounts: [
        { name: "c", mountPath: "/c" }, { name: "only", mountPath: "/only" }, { name: "s", mountPath: "/s" }, { name: "d", mountPath: "/d" }, { name: "e", mountPath: "/e" }, { name: "m", mountPath: "/m" },
        { name: "c", mountPath: "/sub", subPath: "size" }, { name: "all", mountPath: "/all" },
      ],
    })],
    volumes: [
      { name: "c", configMap: { name: "settings" } }, { name: "only", configMap: { name: "settings", items: [{ key: "colour", path: "renamed" }] } }, { name: "s", secret: { secretName: "keys", defaultMode: 0o400 } },
      { name: "d", downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } }, { name: "e", emptyDir: {} }, { name: "m", emptyDir: { medium: "Memory", sizeLimit: "4Mi" } },
      { name: "all", projected: { sources: [{ configMap: { name: "settings" } }, { serviceAccountToken: { path: "token", expirationSeconds: 600 } }] } },
    ],
  });
  assert.equal((await ended("volumes")).phase, "Succeeded");
  const [first = "", mode, readOnly, ...rest] = logs("volumes").split("\n");
  assert.equal(first, "redredhunter2volumes400");
  assert.match(mode ?? "", /Read-only file system/);
  assert.equal(readOnly, "big4");
  assert.ok(Number(rest[0]) > 500, "a token is there");
  assert.deepEqual(rest.slice(1).filter(Boolean), ["colour", "size", "token"]);
});

test("the environment has values, references, fields, resources and services", async () => {
  create("environment", {
    restartPolicy: "Never",
    containers: [sh("env", {
      envFrom: [{ prefix: "P_", configMapRef: { name: "settings" } }], resources: { requests: { cpu: "100m", memory: "32Mi" }, limits: { memory: "64Mi" } },
      env: [
        { name: "A", value: "a" }, { name: "B", value: "$(A)-$(P_colour)-$(NOPE)-$$(A)" }, { name: "SECRET", valueFrom: { secretKeyRef: { name: "keys", key: "password" } } }, { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
        { name: "LIMIT", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } }, { name: "ABSENT", valueFrom: { configMapKeyRef: { name: "nothing", key: "x", optional: true } } },
      ],
    })],
  });
  const { podIP } = await ended("environment");
  const env = new Map(logs("environment").split("\n").map(line => [line.split("=")[0]!, line.slice(line.indexOf("=") + 1)]));
  assert.deepEqual(["A", "B", "SECRET", "IP", "LIMIT", "ABSENT", "P_size", "HOSTNAME"].map(name => env.get(name)), ["a", "a-red-$(NOPE)-$(A)", "hunter2", podIP, "64", undefined, "big", "environment"]);
  assert.ok(env.get("KUBERNETES_SERVICE_HOST"));
});

test("users, groups, capabilities, read-only roots and seccomp are as asked", async () => {
  create("secure", {
    restartPolicy: "Never", securityContext: { runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000, supplementalGroups: [4000], runAsNonRoot: true },
    containers: [sh("id; touch /x 2>&1; touch /e/f && stat -c %g /e/f; grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status", {
      securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } }, volumeMounts: [{ name: "e", mountPath: "/e" }],
    })],
    volumes: [{ name: "e", emptyDir: {} }],
  });
  create("root", { restartPolicy: "Never", securityContext: { runAsNonRoot: true }, containers: [sh("id")] });
  await ended("secure");
  assert.deepEqual(logs("secure").trim().split("\n").map(line => line.replace(/\t/g, " ")), [
    "uid=1000 gid=2000 groups=2000,3000,4000", "touch: /x: Read-only file system", "3000", "CapBnd: 0000000000000400", "NoNewPrivs: 1", "Seccomp: 2",
  ]);
  const waiting = await scratch.until("the refusal", () => status("root").containerStatuses?.[0]?.state.waiting?.reason === "CreateContainerConfigError" && status("root").containerStatuses[0]!.state.waiting);
  assert.match(waiting.message, /^container has runAsNonRoot and image will run as root/);
});

test("limits hold: memory, processor, and the pod's own cgroup", async () => {
  create("limits", { containers: [sh(stay, { resources: { limits: { cpu: "200m", memory: "32Mi" } } })] });
  await running("limits");
  const group = cgroupOf("limits");
  const read = (controller: string, path: string): string => { try { return readFileSync(`/sys/fs/cgroup/${controller}${path}`, "utf8").trim(); } catch { return "none"; } };
  assert.equal(read("memory", `${group}/memory.limit_in_bytes`), String(32 * 2 ** 20));
  assert.equal(read("memory", `${group.slice(0, group.lastIndexOf("/"))}/memory.limit_in_bytes`), String(32 * 2 ** 20));
  assert.equal(read("cpu", `${group.slice(0, group.lastIndexOf("/"))}/cpu.cfs_quota_us`), "20000");
  create("oom", { restartPolicy: "Never", containers: [sh("head -c 100000000 /dev/zero | tail", { resources: { limits: { memory: "16Mi" } } })] });
  const { terminated } = (await ended("oom")).containerStatuses[0]!.state;
  assert.deepEqual([terminated.reason, terminated.exitCode !== 0], ["OOMKilled", true]);
});

test("last words come from the termination file, or from the log when the policy says so", async () => {
  create("words", { restartPolicy: "Never", containers: [sh("echo noise; printf 'it is over' > /dev/termination-log; exit 3")] });
  create("fallback", { restartPolicy: "Never", containers: [sh("echo last line; exit 4", { terminationMessagePolicy: "FallbackToLogsOnError" })] });
  const words = (await ended("words")).containerStatuses[0]!.state.terminated;
  assert.deepEqual([words.message, words.exitCode, words.reason], ["it is over", 3, "Error"]);
  assert.equal((await ended("fallback")).containerStatuses[0]!.state.terminated.message, "last line\n");
});

test("probes of every kind: http, tcp, exec; a failed one is told and acted on", async () => {
  create("probed", {
    containers: [{
      name: "main", image: image("hello:v1"), ports: [{ name: "web", containerPort: 5000 }],
      startupProbe: { tcpSocket: { port: "web" }, periodSeconds: 1, failureThreshold: 60 }, readinessProbe: { httpGet: { port: "web", path: "/" }, periodSeconds: 1 },
      // One failure is enough, so it must not be for want of a processor.
      livenessProbe: { exec: { command: ["test", "!", "-e", "/tmp/dead"] }, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 30 },
    }],
  });
  await scratch.until("readiness", () => status("probed").containerStatuses?.[0]?.ready);
  assert.equal(exec("probed", "touch /tmp/dead && echo dead"), "dead");
  await scratch.until("the restart", () => status("probed").containerStatuses[0]!.restartCount === 1);
  await scratch.until("the events", () => {
    const events = scratch.k("get events --field-selector involvedObject.name=probed -o custom-columns=R:.reason,M:.message --no-headers");
    return /Unhealthy +Liveness probe failed:/.test(events) && /Killing +Container main failed liveness probe, will be restarted/.test(events);
  });
  assert.match(scratch.k("logs probed --previous"), /hello v1 on probed/);
});

test("hooks run after the start and before the end, and the end waits for its grace", async () => {
  const folder = join(scratch.folder, "hooks");
  mkdirSync(folder);
  create("hooks", {
    terminationGracePeriodSeconds: 20,
    containers: [sh("trap 'echo term >> /h/log; exit 0' TERM; sleep 3600 & wait", {
      lifecycle: { postStart: { exec: { command: ["sh", "-c", "echo start >> /h/log"] } }, preStop: { exec: { command: ["sh", "-c", "echo stop >> /h/log; sleep 1"] } } }, volumeMounts: [{ name: "h", mountPath: "/h" }],
    })],
    volumes: [{ name: "h", hostPath: { path: folder, type: "Directory" } }],
  });
  await running("hooks");
  scratch.k("delete pod hooks");
  assert.deepEqual(readFileSync(join(folder, "log"), "utf8").trim().split("\n"), ["start", "stop", "term"]);
  create("stubborn", { terminationGracePeriodSeconds: 2, containers: [sh("trap '' TERM; while :; do sleep 1; done")] });
  await running("stubborn");
  const began = performance.now();
  scratch.k("delete pod stubborn");
  const took = performance.now() - began;
  // Less than the usual grace: its own is what counted.
  assert.ok(took > 1_900 && took < 25_000, `${took} ms`);
});

test("host paths are checked, and a sub-path cannot lead out of its volume", async () => {
  const folder = join(scratch.folder, "host");
  mkdirSync(join(folder, "inside"), { recursive: true });
  writeFileSync(join(folder, "inside/file"), "inside\n");
  symlinkSync("/etc", join(folder, "out"));
  symlinkSync("inside/file", join(folder, "within"));
  const volumes = [{ name: "h", hostPath: { path: folder, type: "Directory" } }];
  create("subpath", { restartPolicy: "Never", containers: [sh("cat /in", { volumeMounts: [{ name: "h", mountPath: "/in", subPath: "within" }] })], volumes });
  create("escape", { restartPolicy: "Never", containers: [sh("cat /in", { volumeMounts: [{ name: "h", mountPath: "/in", subPath: "out/passwd" }] })], volumes });
  create("notthere", { restartPolicy: "Never", containers: [sh("true", { volumeMounts: [{ name: "h", mountPath: "/h" }] })], volumes: [{ name: "h", hostPath: { path: join(folder, "nothing"), type: "Directory" } }] });
  await ended("subpath");
  assert.equal(logs("subpath"), "inside\n");
  const refused = await scratch.until("the refusal", () => status("escape").containerStatuses?.[0]?.state.waiting?.reason === "CreateContainerError" && status("escape").containerStatuses[0]!.state.waiting);
  assert.match(refused.message, /leads out of its volume/);
  await scratch.until("the event", () => scratch.k("get events --field-selector involvedObject.name=notthere").includes("hostPath type check failed"));
});

test("host network, shared processes, host names and host ports work", async () => {
  create("hostnet", { hostNetwork: true, restartPolicy: "Never", containers: [sh("hostname; ip -o link | wc -l")] });
  create("shared", { shareProcessNamespace: true, restartPolicy: "Never", hostname: "named", subdomain: "sub", hostAliases: [{ ip: "203.0.113.9", hostnames: ["alias"] }], containers: [sh("cat /proc/1/cmdline | tr '\\0' ' '; hostname -f; grep alias /etc/hosts")] });
  create("ported", { containers: [{ name: "main", image: image("hello:v2"), ports: [{ containerPort: 5000, hostPort: 18_555 }] }] });
  await ended("hostnet");
  assert.equal(logs("hostnet").split("\n")[0], spawnSync("hostname", { encoding: "utf8" }).stdout.trim());
  await ended("shared");
  assert.match(logs("shared"), /^\/pause/);
  assert.match(logs("shared"), /named\.sub\.default\.svc\.cluster\.local/);
  assert.match(logs("shared"), /203\.0\.113\.9\talias/);
  await running("ported");
  const address = JSON.parse(scratch.k("get pod ported -o json")).status.hostIP;
  await scratch.until("the host port", async () => (await fetch(`http://${address}:18555/`).then(answer => answer.text(), () => "")).includes("hello v2"));
});

test("logs: tail, since, limits, streams and following past the end", async () => {
  create("logged", { restartPolicy: "Never", containers: [sh("for i in 1 2 3 4 5; do echo line $i; done; sleep 0.3; echo err >&2; sleep 0.3; printf 'no newline'; sleep 1; echo; echo after")] });
  await scratch.until("logged has begun", () => status("logged").phase !== "Pending");
  const follow = scratch.k("logs -f logged");
  assert.match(follow, /line 1\n[^]*no newline\nafter\n$/);
  assert.equal(scratch.k("logs logged --tail=2"), "no newline\nafter\n");
  assert.equal(scratch.k("logs logged --limit-bytes=6"), "line 1");
  assert.match(scratch.k("logs logged --timestamps --tail=1"), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z after\n$/);
  assert.equal(scratch.kubectl("logs", "logged", "--previous").code, 1);
});

test("the agent and containerd may be killed: nothing that runs is touched, and everything is found again", async () => {
  create("survivor", { containers: [sh("i=0; while :; do echo $i; i=$((i+1)); sleep 0.1; done")] });
  await running("survivor");
  const pid = hostPid("survivor");
  const { agent, containerd } = { agent: spawnSync("sh", ["-c", `cat ${runFolder()}/agent.pid`], { encoding: "utf8" }).stdout.trim().split("\n")[0]!, containerd: (JSON.parse(readFileSync(join(scratch.dataDir, "timonier/containerd/process.json"), "utf8")) as { pid: number }).pid };
  process.kill(Number(agent), "SIGKILL");
  process.kill(containerd, "SIGKILL");
  await scratch.until("exec works again", () => exec("survivor", "echo here") === "here");
  assert.equal(hostPid("survivor"), pid);
  assert.equal(status("survivor").containerStatuses[0]!.restartCount, 0);
  await scratch.until("the log goes on", () => Number(scratch.kubectl("logs", "survivor", "--tail=1").out) > 30);
  const numbers = logs("survivor").trim().split("\n").map(Number);
  assert.ok(numbers.every((number, i) => number === i), "no line is lost");
});

test("what is left of a pod whose object vanished while nobody looked is cleared away", async () => {
  create("orphan", { containers: [sh(stay)] });
  await running("orphan");
  const pid = hostPid("orphan");
  process.kill(Number(spawnSync("sh", ["-c", `cat ${runFolder()}/agent.pid`], { encoding: "utf8" }).stdout.trim().split("\n")[0]), "SIGSTOP");
  scratch.k("delete pod orphan --force --grace-period=0");
  process.kill(Number(spawnSync("sh", ["-c", `cat ${runFolder()}/agent.pid`], { encoding: "utf8" }).stdout.trim().split("\n")[0]), "SIGKILL");
  await scratch.until("the process is gone", () => spawnSync("kill", ["-0", pid]).status !== 0, 60);
});
