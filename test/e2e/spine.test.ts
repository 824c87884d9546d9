/** The first block of the quick start, with real kubectl and real containers, then crashes, then nothing left behind. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { assertAsBefore, image, kubectlPath, mainPids, procFile, Scratch, stillPicture } from "./harness.ts";

const foreign = `apiVersion: v1
kind: Config
current-context: mine
clusters:
- name: mine
  cluster: {server: "https://192.0.2.1:6443"}
contexts:
- name: mine
  context: {cluster: mine, user: me}
users:
- name: me
  user: {token: secret}
`;

const scratch = new Scratch();
let before_: Awaited<ReturnType<typeof stillPicture>>;

before(async () => {
  await scratch.registry();
  // Packages are not ours to remove: bring them before the picture is taken.
  Scratch.packages("containerd", "runc", "containernetworking-plugins", "nftables", "iptables", "iproute2", "curl");
  writeFileSync(scratch.kubeconfig, foreign);
});
after(async () => {
  scratch.timonier("delete");
  await scratch.close();
});

const pods = (): { name: string; phase: string; ip: string; ready: boolean; restarts: number; image: string; deleting: boolean }[] =>
  JSON.parse(scratch.k("get pods -l app=web -o json")).items.map((pod: any) => ({
    name: pod.metadata.name, phase: pod.status.phase, ip: pod.status.podIP, deleting: pod.metadata.deletionTimestamp !== undefined,
    ready: pod.status.conditions?.some((c: any) => c.type === "Ready" && c.status === "True") ?? false,
    restarts: pod.status.containerStatuses?.[0]?.restartCount ?? 0, image: pod.spec.containers[0].image,
  }));
/** Host pids of the `httpd` of every pod of this cluster, told by its cgroup. */
const webPids = (): string[] => mainPids("^httpd -f -v -p 5000").filter(pid => procFile(pid, "cgroup").includes(`/timonier-${scratch.cluster.id}/`));
const curl = (url: string): string => scratch.curl("-m", "20", url);
const allPods = (): string => scratch.k("get pods -o wide");

test("up makes a cluster, says what to try next, and keeps other contexts", async () => {
  // Here and not in `before`: the hooks of all files run before the first test, and the other files' clusters are still at work then.
  before_ = await stillPicture(scratch);
  const result = scratch.timonier("up");
  assert.equal(result.code, 0, result.err + result.out + scratch.log("server") + scratch.log("agent"));
  assert.match(result.out, /is ready after/);
  assert.match(result.out, /kubectl create deployment/);
  const config = readFileSync(scratch.kubeconfig, "utf8");
  assert.match(config, /name: mine/);
  assert.equal(scratch.k("config current-context").trim(), "timonier");
});

test("a second up says what runs", () => {
  const result = scratch.timonier("up");
  assert.equal(result.code, 0, result.err);
  assert.match(result.out, /is running: Kubernetes v1\.36/);
});

test("a deployment's pod goes from Pending to Running with an address", async () => {
  await scratch.until("the default service account", () => scratch.kubectl("get", "serviceaccount", "default").code === 0);
  const watch = scratch.startKubectl("get pods -o wide -w");
  // Once the watch shows a first pod it is open, and will see all that happens to the next one.
  scratch.k(`run first --image=${image("hello:v1")}`);
  await scratch.until("the watch is open", () => watch.out.includes("first"));
  // It is a web server like the others, which are counted below.
  scratch.k("delete pod first --now");
  scratch.k(`create deployment web --image=${image("hello:v1")}`);
  await scratch.until("one ready pod", () => pods().length === 1 && pods()[0]!.ready);
  await scratch.until("the watch shows it", () => /web-\S+ +0\/1 +Pending[^]*web-\S+ +0\/1 +ContainerCreating[^]*web-\S+ +1\/1 +Running +0 +\S+ +10\.\d+\.\d+\.\d+ /.test(watch.out)).catch((error: Error) => assert.fail(`${error.message}\nThe watch: ${watch.out}${watch.err}`));
  await watch.end();
});

test("logs, logs -f", async () => {
  await scratch.until("its first line", () => /hello v1 on web-/.test(scratch.k("logs deploy/web")));
  const follow = scratch.startKubectl("logs deploy/web -f");
  await scratch.until("a first line", () => follow.out.includes("hello v1 on web-"));
  const { ip } = pods()[0]!;
  curl(`http://${ip}:5000/`);
  await scratch.until("the request shows in the log", () => follow.out.includes("url:/") || follow.out.includes("response:200"));
  await follow.end();
});

test("exec: output, exit code, standard input that ends, a terminal", async () => {
  assert.match(scratch.k("exec deploy/web -- hostname"), /^web-/);
  assert.equal(scratch.kubectl("exec", "deploy/web", "--", "sh", "-c", "exit 7").code, 7);
  const big = "x".repeat(300_000);
  assert.equal(scratch.k("exec -i deploy/web -- wc -c", big).trim(), "300000");
  // Its own input stays open: the end of it would be the end of the terminal.
  const terminal = scratch.start("script", ["-qec", `stty rows 33 cols 77; ${kubectlPath()} exec -it deploy/web -- sh -c 'tty; echo $((6*7)); until [ "$(stty size 2>/dev/null)" = "33 77" ] || [ $((i+=1)) -gt 100 ]; do sleep 0.1; done; stty size'`, "/dev/null"]);
  await scratch.until("the terminal's program ended", () => terminal.closed);
  assert.match(terminal.out, /\/dev\/pts\/\d+\s+42\s+33 77/);
});

test("attach shows what the container writes", async () => {
  const attach = scratch.startKubectl("attach deploy/web");
  const { ip } = pods()[0]!;
  await scratch.until("a request's line arrives", () => {
    curl(`http://${ip}:5000/`);
    return /response:200|url:/.test(attach.out + attach.err);
  });
  await attach.end();
});

test("port-forward carries a request", async () => {
  const forward = scratch.startKubectl("port-forward deploy/web 18002:5000");
  await scratch.until("it listens", () => forward.out.includes("Forwarding from 127.0.0.1:18002"));
  assert.equal(curl("http://127.0.0.1:18002/"), "hello v1\n");
  // A client that dies while a connection is open takes nothing with it (the agent ended itself).
  const open = connect(18002, "127.0.0.1").on("error", () => undefined);
  await once(open, "connect");
  open.write("GET / HTTP/1.0\r\n");
  forward.child.kill("SIGKILL");
  await new Promise(done => open.once("close", done));
  scratch.k("exec deploy/web -- true");
  assert.doesNotMatch(scratch.log("agent"), /an invariant is broken/);
});

test("kubectl proxy reaches the service, the pod and the node", async () => {
  scratch.k("expose deploy/web --port=5000");
  const proxy = scratch.startKubectl("proxy --port=18001");
  await scratch.until("it listens", () => proxy.out.includes("Starting to serve"));
  const get = (path: string): string => curl(`http://127.0.0.1:18001${path}`);
  await scratch.until("the service answers", () => get("/api/v1/namespaces/default/services/web/proxy/") === "hello v1\n");
  assert.equal(get(`/api/v1/namespaces/default/pods/${pods()[0]!.name}:5000/proxy/`), "hello v1\n");
  const node = scratch.k("get nodes -o name").trim().replace("node/", "");
  assert.match(get(`/api/v1/nodes/${node}/proxy/healthz`), /ok/);
  await proxy.end();
});

test("scale, delete a pod, roll out, undo", async () => {
  scratch.k("scale deploy/web --replicas=3");
  await scratch.until("three ready pods", () => pods().filter(pod => pod.ready).length === 3);
  const gone = pods()[0]!.name;
  scratch.k(`delete pod ${gone}`);
  await scratch.until("another in its place", () => pods().filter(pod => pod.ready && !pod.deleting).length === 3 && pods().every(pod => pod.name !== gone));
  scratch.k(`set image deploy/web hello=${image("hello:v2")}`);
  assert.match(scratch.k("rollout status deploy/web --timeout=120s"), /successfully rolled out/);
  assert.deepEqual([...new Set(pods().filter(pod => !pod.deleting).map(pod => pod.image))], [image("hello:v2")]);
  assert.match(scratch.k("rollout history deploy/web"), /1[^]*2/);
  scratch.k("rollout undo deploy/web");
  scratch.k("rollout status deploy/web --timeout=120s");
  await scratch.until("only v1 again", () => pods().length === 3 && pods().every(pod => pod.image === image("hello:v1")));
});

test("a kubectl of 2020 works too: exec, port-forward and logs over SPDY", async () => {
  const program = oldKubectl();
  const run = (args: string, input?: string): string => {
    const { code, out, err } = scratch.run(program, args.split(" "), input);
    assert.equal(code, 0, `${args}: ${err}${out}`);
    return out;
  };
  await scratch.until("its first line", () => /hello v1/.test(run("logs deploy/web")));
  assert.match(run("exec deploy/web -- hostname"), /^web-/);
  assert.equal(run("exec -i deploy/web -- wc -c", "y".repeat(200_000)).trim(), "200000");
  const forward = scratch.start(program, ["port-forward", "deploy/web", "18003:5000"]);
  await scratch.until("it listens", () => forward.out.includes("Forwarding from 127.0.0.1:18003"));
  assert.equal(curl("http://127.0.0.1:18003/"), "hello v1\n");
  await forward.end();
});

test("kill -9 of server and agent during a rollout: both come back, what ran goes on", async () => {
  const steady = webPids();
  assert.equal(steady.length, 3, `web servers ${steady.join()} of\n${allPods()}`);
  scratch.k("create deployment second --image=" + image("hello:v1") + " --replicas=2");
  const pidOf = (name: string): string => /pid (\d+)/.exec(scratch.timonier("status").out.split("\n").find(line => line.startsWith(name)) ?? "")?.[1] ?? "";
  const [server, agent] = [pidOf("Server"), pidOf("Agent")];
  assert.ok(server && agent);
  process.kill(Number(server), "SIGKILL");
  process.kill(Number(agent), "SIGKILL");
  await scratch.until("the API answers again", () => scratch.kubectl("get", "--raw", "/readyz").code === 0);
  assert.notEqual(pidOf("Server"), server);
  scratch.k("rollout status deploy/second --timeout=120s");
  assert.deepEqual(webPids().filter(pid => steady.includes(pid)), steady);
  assert.deepEqual(pods().map(pod => pod.restarts), [0, 0, 0]);
});

test("down leaves the pods running, up finds them without a restart", async () => {
  const steady = webPids();
  assert.equal(steady.length, 5, `web servers ${steady.join()} of\n${allPods()}`);
  const down = scratch.timonier("down");
  assert.equal(down.code, 0, down.err);
  assert.match(scratch.timonier("status").out, /stopped/);
  assert.deepEqual(webPids(), steady);
  const up = scratch.timonier("up");
  assert.equal(up.code, 0, up.err + up.out);
  await scratch.until("all ready", () => pods().filter(pod => pod.ready).length === 3);
  assert.deepEqual(webPids(), steady);
  assert.deepEqual(pods().map(pod => pod.restarts), [0, 0, 0]);
});

test("delete leaves the machine and the kubeconfig as they were", async () => {
  const result = scratch.timonier("delete");
  assert.equal(result.code, 0, result.err);
  await assertAsBefore(scratch, before_);
  const config = readFileSync(scratch.kubeconfig, "utf8");
  assert.match(config, /current-context: mine/);
  assert.doesNotMatch(config, /timonier/);
  assert.equal(scratch.run("find", [scratch.dataDir]).out, "");
});

/** Debian's kubectl, unpacked beside the one on PATH. */
function oldKubectl(): string {
  const folder = join(tmpdir(), "timonier-old-kubectl");
  const program = join(folder, "usr/bin/kubectl");
  const made = spawnSync("sh", ["-c", `[ -x ${program} ] || { mkdir -p ${folder} && cd ${folder} && apt-get download kubernetes-client && dpkg -x kubernetes-client_*.deb .; }`], { encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
  return program;
}
