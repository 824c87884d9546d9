/** A scratch home for one e2e test: its own HOME, data directory and kubeconfig, a registry with test images, and a picture of the machine to compare. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { pushTestImages } from "../../tools/images/hello.ts";
import { startRegistry, type Registry } from "../../tools/images/registry.ts";
import { nodeCount } from "./node-counts.ts";

const root = new URL("../../", import.meta.url).pathname;
export const image = (name: string): string => `127.0.0.1:5000/${name}`;

export type Cluster = { readonly id: string; readonly runFolder: string; readonly nodeName: string; readonly podCIDR: string; readonly serviceCIDR: string; readonly members: readonly { readonly name: string; readonly index: number; readonly link: number }[] };
export type Node = { readonly name: string; readonly ip: string };
export type Result = { readonly code: number; readonly out: string; readonly err: string };

export class Scratch {
  /** Named after its process: who finds it left behind knows whether anybody still uses it. */
  readonly folder = mkdtempSync(join(tmpdir(), `timonier-e2e-${process.pid}-`));
  readonly kubeconfig = join(this.folder, "kubeconfig");
  readonly dataDir = join(this.folder, "data");
  /** The environment a user would have: nothing of this repository on PATH. */
  readonly env: NodeJS.ProcessEnv = {
    ...process.env, HOME: this.folder, KUBECONFIG: this.kubeconfig, TIMONIER_DATA_DIR: this.dataDir, TIMONIER_NAME: undefined,
    PATH: (process.env["PATH"] ?? "").split(":").filter(part => !part.includes("node_modules")).join(":"),
  };
  readonly #children = new Set<ChildProcess>();
  #registry: Registry | undefined;
  #pictured = false;
  static readonly #open = new Set<Scratch>();

  constructor() {
    removeLeftovers();
    Scratch.#open.add(this);
  }
  static {
    // A failure must be understood from its own words: nobody can ask the cluster afterwards.
    afterEach(context => {
      const error = "error" in context && context.error ? (context.error.cause ?? context.error) : undefined;
      if (error instanceof Error) for (const scratch of Scratch.#open) error.stack = `${error.stack}${scratch.picture()}`;
    });
  }

  /** Debian packages that the tests need besides what `timonier up` brings. */
  static packages(...names: string[]): void {
    const missing = names.filter(name => spawnSync("dpkg", ["-s", name], { stdio: "ignore" }).status !== 0);
    if (missing.length === 0) return;
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const install = () => spawnSync("apt-get", ["install", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", ...missing], { env, encoding: "utf8" });
    if (install().status !== 0) {
      spawnSync("apt-get", ["update"], { env });
      const { status, stderr } = install();
      assert.equal(status, 0, `apt-get install ${missing.join(" ")}: ${stderr}`);
    }
  }
  async registry(): Promise<void> {
    Scratch.packages("docker-registry");
    Scratch.#users++;
    this.#registry = await (Scratch.#shared ??= Scratch.#start());
  }
  static #users = 0;
  /** One for all files of a run: their `before` hooks begin together. */
  static #shared: Promise<Registry> | undefined;
  static async #start(): Promise<Registry> {
    const folder = join(tmpdir(), "timonier-registry");
    const registry = await startRegistry(folder);
    await pushTestImages(registry.address, join(folder, "debs"));
    return registry;
  }

  timonier(...args: string[]): Result {
    return this.run(join(root, "timonier"), args);
  }
  /** Starts a cluster of as many nodes as this run of the file is about, and gives them when all are Ready: the machine first. */
  async up(...flags: string[]): Promise<readonly Node[]> {
    const result = this.timonier("up", "--nodes", String(nodeCount), ...flags);
    assert.equal(result.code, 0, result.err + result.out + this.log("agent"));
    await this.until("the default service account", () => this.kubectl("get", "serviceaccount", "default").code === 0);
    return this.until(`${nodeCount} ready nodes`, () => {
      const items: readonly any[] = JSON.parse(this.k("get nodes -o json")).items;
      const ready = items.filter(({ status }) => status.conditions?.some((each: any) => each.type === "Ready" && each.status === "True"));
      return ready.length === nodeCount && ready.map(({ metadata, status }) => ({ name: metadata.name, ip: status.addresses.find((each: any) => each.type === "InternalIP").address }));
    });
  }
  kubectl(...args: string[]): Result {
    return this.run(kubectlPath(), args);
  }
  /** kubectl must succeed; its standard output. */
  k(line: string, input?: string): string {
    const result = this.run(kubectlPath(), words(line), input);
    assert.equal(result.code, 0, `kubectl ${line}: ${result.err}${result.out}`);
    return result.out;
  }
  run(program: string, args: readonly string[], input?: string): Result {
    const { status, signal, stdout, stderr, error } = spawnSync(program, [...args], { env: this.env, cwd: this.folder, encoding: "utf8", timeout: 180_000, maxBuffer: 1 << 28, ...(input === undefined ? { stdio: ["ignore", "pipe", "pipe"] } : { input }) });
    if (error && !signal) throw error;
    return { code: status ?? 128, out: stdout, err: `${stderr}${error?.message ?? ""}` };
  }
  /** What curl gets; where it gets nothing, why. */
  curl(...args: string[]): string {
    const { code, out, err } = this.run("curl", ["-sS", ...args]);
    return code === 0 ? out : `${out}${err}`;
  }
  /** A program that goes on; ended with the test. Lines of its output can be waited for. */
  start(program: string, args: readonly string[]): Running {
    const child = spawn(program, [...args], { env: this.env, cwd: this.folder, stdio: ["pipe", "pipe", "pipe"] });
    this.#children.add(child);
    return new Running(child);
  }
  startKubectl(line: string): Running {
    return this.start(kubectlPath(), words(line));
  }
  /** Asks until the answer is right; a limit on tries, since the machine may be slow. */
  async until<T>(what: string, ask: () => T | undefined | false | Promise<T | undefined | false>, seconds = 60): Promise<T> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const value = await ask();
      if (value !== undefined && value !== false) return value;
      if (performance.now() > end) throw new Error(`not reached within ${seconds} s: ${what}${this.picture()}`);
      await new Promise(done => setTimeout(done, 100));
    }
  }
  /** Asks until the answer is this very text; the error says what it was at last. */
  async says(what: string, want: string, ask: () => string | Promise<string>, seconds = 60): Promise<void> {
    let last = "";
    try {
      await this.until(what, async () => (last = await ask()) === want, seconds);
    } catch (error) {
      throw new Error(`${JSON.stringify(last)} is not ${JSON.stringify(want)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  /** What there is to know of the clusters when a test has failed, a few lines of each; once, since what follows from a failure says little. */
  picture(): string {
    if (this.#pictured) return "";
    this.#pictured = true;
    const { env } = this, tail = (text: string, lines: number): string => text.trimEnd().split("\n").slice(-lines).map(line => `  ${line.slice(0, 240)}\n`).join("");
    const data = env["TIMONIER_DATA_DIR"] ?? this.dataDir;
    const logs = inFolder(data).flatMap(cluster => inFolder(join(data, cluster, "logs")).filter(name => /^(server|agent.*)\.log$/.test(name)).map(name => join(data, cluster, "logs", name)));
    const asked = (logs.length === 0 ? [] : [["get", "pods", "-A", "-o", "wide"], ["get", "events", "-A", "--sort-by=.metadata.creationTimestamp"]]).map(args => {
      const { out, err } = this.kubectl(...args, "--request-timeout=10s");
      return `kubectl ${args.join(" ")}:\n${tail(out + err, 30)}`;
    });
    return `\n${[...asked, ...logs.map(path => `${path}:\n${tail(readFileSync(path, "utf8"), /agent-/.test(path) ? 10 : 40)}`)].join("")}`;
  }
  log(name: "server" | "agent", cluster = "timonier"): string {
    const path = join(this.dataDir, cluster, "logs", `${name}.log`);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }
  /** What `cluster.json` says of the cluster. */
  get cluster(): Cluster {
    return JSON.parse(readFileSync(join(this.dataDir, "timonier/cluster.json"), "utf8"));
  }
  /** The line of `timonier status` about the ingress proxy: `http://NAME.localhost, https://NAME.localhost:8443 (port 443 is taken); pid 7, 60 MB`; empty without one. */
  ingress(cluster: string): string {
    return /^Ingress: +(.*)$/m.exec(this.timonier("status", "--name", cluster).out)?.[1] ?? "";
  }
  /** Where it listens, as soon as it does: another cluster of this machine may have the usual ports. */
  ingressPorts(cluster: string): Promise<{ readonly http: string; readonly https: string }> {
    return this.until("timonier status tells the ports", () => {
      const now = this.ingress(cluster), [http, https] = ["http", "https"].map(scheme => new RegExp(`(?:^|\\s)${scheme}://NAME\\.localhost(?::(\\d+))?`).exec(now));
      return http && https ? { http: http[1] ?? "80", https: https[1] ?? "443" } : undefined;
    });
  }
  /** The process of the server or of a node's agent (0: the machine's); 0 when there is none at the moment. */
  pidOf(victim: "server" | number): number {
    const file = `${this.#runFolder(victim)}/${victim === "server" ? victim : "agent"}.pid`;
    const pid = readFileSync(file, "utf8").trim();
    // A member's agent is the child of the program that entered its box.
    return Number(typeof victim === "number" && victim > 0 ? spawnSync("pgrep", ["-P", pid, "node"], { encoding: "utf8" }).stdout.split("\n")[0] : pid);
  }
  /** How often it has said that it was ready. */
  starts(victim: "server" | number): number {
    return readFileSync(`${this.#runFolder(victim)}/${victim === "server" ? victim : "agent"}.status`, "utf8").split('"ready":true').length;
  }
  #runFolder(victim: "server" | number): string {
    const { runFolder } = this.cluster;
    return typeof victim === "number" && victim > 0 ? `${runFolder}/n${victim}` : runFolder;
  }
  async close(): Promise<void> {
    Scratch.#open.delete(this);
    for (const child of this.#children) child.kill("SIGKILL");
    if (this.#registry && --Scratch.#users === 0) await this.#registry.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a run left that was killed in the middle: its clusters and its folder. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = /^timonier-e2e-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    const folder = join(tmpdir(), name), data = join(folder, "data");
    const env = { ...process.env, HOME: folder, KUBECONFIG: join(folder, "kubeconfig"), TIMONIER_DATA_DIR: data };
    for (const { name: cluster } of existsSync(data) ? readdirSync(data, { withFileTypes: true }).filter(entry => entry.isDirectory()) : []) spawnSync(join(root, "timonier"), ["delete", "--name", cluster], { env, stdio: "ignore", timeout: 180_000 });
    rmSync(folder, { recursive: true, force: true });
  }
}

export class Running {
  readonly child: ChildProcess;
  /** Arrives in pieces: a line is there when its end is. */
  out = "";
  err = "";
  /** It has ended, and all that it said is here: both come later than `exitCode`. */
  closed = false;
  readonly #closed: Promise<void>;
  constructor(child: ChildProcess) {
    this.child = child;
    this.#closed = new Promise(done => child.once("close", () => { this.closed = true; done(); }));
    child.stdout!.setEncoding("utf8").on("data", (text: string) => { this.out += text; });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => { this.err += text; });
  }
  /** Tells it to end, and waits. */
  async end(): Promise<void> {
    this.child.kill("SIGTERM");
    await this.#closed;
  }
  /** Waits until it has ended by itself; its exit code. */
  async ended(): Promise<number | null> {
    await this.#closed;
    return this.child.exitCode;
  }
}

/** Splits a command line; single quotes keep spaces. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(match => match[1] ?? match[2]!);
}

let found: string | undefined;
/** The kubectl on PATH, else Debian's. */
export function kubectlPath(): string {
  if (found) return found;
  const which = () => spawnSync("sh", ["-c", "command -v kubectl"], { encoding: "utf8" }).stdout.trim();
  if (!which()) Scratch.packages("kubernetes-client");
  found = which();
  return found;
}

/** Pids of the processes that a command line's pattern finds, without the children that each of them forks (a web server's, one a connection). */
export function mainPids(pattern: string): readonly string[] {
  const lines = spawnSync("ps", ["-eo", "pid=,ppid=,stat=,args="], { encoding: "utf8", maxBuffer: 1 << 26 }).stdout.split("\n").map(line => /^ *(\d+) +(\d+) +(\S+) +(.*)$/.exec(line) ?? []);
  const found = new Map(lines.filter(([, , , stat = "Z", args = ""]) => !stat.startsWith("Z") && new RegExp(pattern).test(args)).map(([, pid = "", parent = ""]) => [pid, parent]));
  return [...found].filter(([, parent]) => !found.has(parent)).map(([pid]) => pid).sort();
}
/** A file of /proc; empty when its process has gone meanwhile. */
export function procFile(pid: string, name: string): string {
  return spawnSync("cat", [`/proc/${pid}/${name}`], { encoding: "utf8" }).stdout;
}

type Picture = { readonly [what: string]: readonly string[] };
/** What a deleted cluster must leave as it was, once nothing moves any more: of the file before, links go a moment after its cluster. */
export async function stillPicture(scratch: Scratch): Promise<Picture> {
  let last: Picture = {}, now = pictureOfTheMachine(scratch);
  for (let tries = 0; tries < 20 && !isDeepStrictEqual(now, last); tries++) {
    await new Promise(done => setTimeout(done, 100));
    [last, now] = [now, pictureOfTheMachine(scratch)];
  }
  return now;
}
/** To the line. Only links and routes may take a moment: the kernel takes network namespaces apart in the background. */
export async function assertAsBefore(scratch: Scratch, before: Picture): Promise<void> {
  const now = pictureOfTheMachine(scratch);
  for (const [what, lines] of Object.entries(before)) {
    let left = now[what];
    for (let tries = 0; ["links", "routes"].includes(what) && tries < 50 && !isDeepStrictEqual(left, lines); tries++) {
      await new Promise(done => setTimeout(done, 200));
      left = pictureOfTheMachine(scratch)[what];
    }
    assert.deepEqual(left, lines, `${what} differ after delete`);
  }
}
/** Each entry is a line. */
function pictureOfTheMachine(scratch: Scratch): Picture {
  const sh = (command: string): string[] => spawnSync("sh", ["-c", command], { encoding: "utf8", maxBuffer: 1 << 28 }).stdout.split("\n").filter(Boolean).sort();
  // Other clusters of this machine come and go meanwhile: each says in its run folder where its data is.
  const others = sh("grep -L -F " + scratch.folder + " /run/timonier/*/data-folder 2>/dev/null").flatMap(path => [path.slice(0, path.lastIndexOf("/")), existsSync(path) ? readFileSync(path, "utf8").trim() : path]);
  const ours = (path: string): boolean => path !== "/run/timonier/forwarding.json" && !others.some(folder => path === folder || path.startsWith(`${folder}/`));
  // Their rules, cgroups and links are named after them, as the run folders are; only pods' interfaces do not say whose they are.
  const names = others.filter(path => path.startsWith("/run/timonier/")).map(path => basename(path)).flatMap(name => [name, name.replaceAll("-", "_"), `tm${name.slice(-6)}`]);
  const notTheirs = (line: string): boolean => !names.some(name => line.includes(name));
  return {
    mounts: sh("awk '{print $5}' /proc/self/mountinfo").filter(ours),
    namespaces: sh("ls /var/run/netns 2>/dev/null; ip netns list 2>/dev/null"),
    links: sh("ip -o link | awk -F': ' '{print $2}'").filter(link => notTheirs(link) && (names.length === 0 || !link.startsWith("veth"))),
    // Those of pod interfaces come and go with the links, some of them seconds later.
    routes: sh("ip route show table all | grep -v 'dev veth' | sed 's/ expires [0-9]*sec//'").filter(notTheirs),
    rules: sh("nft list tables 2>/dev/null; iptables-save 2>/dev/null | grep -v '^#' | sed 's/\\[[0-9:]*\\]//'").filter(notTheirs),
    cgroups: sh("find /sys/fs/cgroup -mindepth 2 -type d 2>/dev/null").filter(notTheirs),
    processes: sh(`ps -eo args= | grep -F ${scratch.folder} | grep -v -e grep -e 'ps -eo'; for s in /run/timonier/*/; do grep -lF ${scratch.folder} $s/* 2>/dev/null; done`),
    files: sh("find /run/timonier /var/lib/timonier /etc/cni /var/lib/cni /run/containerd /opt/containerd /opt/cni 2>/dev/null").filter(ours),
  };
}

export function inFolder(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
