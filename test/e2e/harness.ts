/** A scratch home for one e2e test: its own HOME, data directory and kubeconfig, a registry with test images, and a picture of the machine to compare. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pushTestImages } from "../../tools/images/hello.ts";
import { startRegistry, type Registry } from "../../tools/images/registry.ts";
import { nodeCount } from "./node-counts.ts";

const root = new URL("../../", import.meta.url).pathname;
export const image = (name: string): string => `127.0.0.1:5000/${name}`;

export type Cluster = { readonly id: string; readonly runFolder: string; readonly nodeName: string; readonly podCIDR: string; readonly members: readonly { readonly name: string; readonly index: number; readonly link: number }[] };
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

  constructor() {
    removeLeftovers();
  }

  /** Debian packages that the tests need besides what `timonier up` brings. */
  static packages(...names: string[]): void {
    const missing = names.filter(name => spawnSync("dpkg", ["-s", name], { stdio: "ignore" }).status !== 0);
    if (missing.length === 0) return;
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const install = () => spawnSync("apt-get", ["install", "-y", "--no-install-recommends", ...missing], { env, encoding: "utf8" });
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
    this.k(`wait node --all --for=condition=Ready --timeout=60s`);
    const nodes: readonly Node[] = JSON.parse(this.k("get nodes -o json")).items.map(({ metadata, status }: any) => ({ name: metadata.name, ip: status.addresses.find((each: any) => each.type === "InternalIP").address }));
    assert.equal(nodes.length, nodeCount);
    return nodes;
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
    return { code: status ?? 128, out: stdout, err: stderr };
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
      if (performance.now() > end) throw new Error(`not reached within ${seconds} s: ${what}\n${this.kubectl("get", "pods,rs,deploy,events", "-A", "-o", "wide").out}`);
      await new Promise(done => setTimeout(done, 100));
    }
  }
  log(name: "server" | "agent", cluster = "timonier"): string {
    const path = join(this.dataDir, cluster, "logs", `${name}.log`);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }
  /** What `cluster.json` says of the cluster. */
  get cluster(): Cluster {
    return JSON.parse(readFileSync(join(this.dataDir, "timonier/cluster.json"), "utf8"));
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
  out = "";
  err = "";
  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout!.setEncoding("utf8").on("data", (text: string) => { this.out += text; });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => { this.err += text; });
  }
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGTERM");
    await new Promise(done => this.child.once("close", done));
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

/** What a deleted cluster must leave as it was. Each entry is a line. */
export function pictureOfTheMachine(scratch: Scratch): { readonly [what: string]: readonly string[] } {
  const sh = (command: string): string[] => spawnSync("sh", ["-c", command], { encoding: "utf8", maxBuffer: 1 << 28 }).stdout.split("\n").filter(Boolean).sort();
  // Other clusters of this machine come and go meanwhile: each says in its run folder where its data is.
  const others = sh("grep -L -F " + scratch.folder + " /run/timonier/*/data-folder 2>/dev/null").flatMap(path => [path.slice(0, path.lastIndexOf("/")), existsSync(path) ? readFileSync(path, "utf8").trim() : path]);
  const ours = (path: string): boolean => path !== "/run/timonier/forwarding.json" && !others.some(folder => path === folder || path.startsWith(`${folder}/`));
  return {
    mounts: sh("awk '{print $5}' /proc/self/mountinfo").filter(ours),
    namespaces: sh("ls /var/run/netns 2>/dev/null; ip netns list 2>/dev/null"),
    links: sh("ip -o link | awk -F': ' '{print $2}'"),
    // Those of pod interfaces come and go with the links, some of them seconds later.
    routes: sh("ip route show table all | grep -v 'dev veth' | sed 's/ expires [0-9]*sec//'"),
    rules: sh("nft list tables 2>/dev/null; iptables-save 2>/dev/null | grep -v '^#' | sed 's/\\[[0-9:]*\\]//'"),
    cgroups: sh("find /sys/fs/cgroup -mindepth 2 -type d 2>/dev/null"),
    processes: sh(`ps -eo args= | grep -F ${scratch.folder} | grep -v -e grep -e 'ps -eo'; for s in /run/timonier/*/; do grep -lF ${scratch.folder} $s/* 2>/dev/null; done`),
    files: sh("find /run/timonier /var/lib/timonier /etc/cni /var/lib/cni /run/containerd /opt/containerd /opt/cni 2>/dev/null").filter(ours),
  };
}

export function inFolder(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
