/**
 * A runtime that only pretends: pods are state machines on the clock. The same agent drives it, so controllers, status, probes and
 * restarts are real; processes, files and packets are not.
 *
 * A pod's annotations say how its containers behave (all optional):
 *
 *     timonier.dev/sim.pull-ms: "200"     timonier.dev/sim.start-ms: "50"     timonier.dev/sim.run-ms: "1000"     timonier.dev/sim.exit-code: "1"
 *
 * Without them a container runs for ever, except for commands whose end is plain (`sleep 5`, `true`, `false`, `sh -c "exit 3"`) init containers,
 * pods of jobs and pods that are Helm's hooks (`helm test`), which succeed after a second: what waits for them gets on. Images run as a user that is not root; one
 * whose name ends in `/missing` cannot be pulled. Restarting the agent in the same process finds everything as it was.
 */
import { assert, must } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { LogFile, LogFiles } from "./logs.ts";
import { label, RuntimeError, type ContainerConfig, type ContainerRuntime, type ContainerState, type ExecResult, type ImageState, type Listed, type PodState, type RuntimeCondition, type SandboxConfig, type SandboxState } from "./runtime.ts";

type Sandbox = { state: SandboxState; readonly config: SandboxConfig };
type Container = { state: ContainerState; readonly config: ContainerConfig; starting: boolean; cancel: () => void; log: string };

/** Half of it the sandbox's, half each container's. */
const startMs = 20;
const stopMs = 5;
const pullMs = 50;
const jobMs = 1000;
const jobName = "batch.kubernetes.io/job-name";
const helmHook = "helm.sh/hook";
const imageUser = 65_532;
const logCharsMax = 64 * 1024;
const annotated = "timonier.dev/sim.";
const utf8 = new TextEncoder();

export type SimulatedOptions = { readonly clock: Clock; readonly random: Random; /** First address of the node's pods, e.g. `10.244.3.`: the last number is ours. */ readonly network: string };

export class SimulatedRuntime implements ContainerRuntime {
  readonly #options: SimulatedOptions;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, Container>();
  readonly #images = new Map<string, ImageState>();
  readonly #names = new Set<string>();
  readonly #addresses = new Set<number>();
  readonly #listeners = new Set<(id: string, what: "started" | "ended") => void>();
  #broken: string | undefined;
  constructor(options: SimulatedOptions) {
    this.#options = options;
  }

  /** For tests and faults: every call fails with this until it is set back. */
  set broken(why: string | undefined) {
    this.#broken = why;
  }
  #check(): void {
    if (this.#broken !== undefined) throw new RuntimeError("unavailable", this.#broken);
  }

  async version(): Promise<{ readonly name: string; readonly version: string }> {
    this.#check();
    return { name: "simulated", version: "1" };
  }
  async conditions(): Promise<readonly RuntimeCondition[]> {
    this.#check();
    return ["RuntimeReady", "NetworkReady"].map(type => ({ type, status: true, reason: "", message: "" }));
  }

  async runSandbox(config: SandboxConfig, _handler: string): Promise<string> {
    this.#check();
    const attemptName = `${config.metadata.uid} ${config.metadata.attempt}`;
    // Names are reserved from the first moment, as containerd does: two callers never get the same attempt.
    if (this.#names.has(attemptName)) throw new RuntimeError("failed", `failed to reserve sandbox name "${attemptName}": name is reserved`);
    this.#names.add(attemptName);
    await this.#options.clock.sleep((numberOf(config, "start-ms") ?? startMs) / 2);
    const id = this.#id();
    const hostNetwork = config.linux.securityContext.namespaceOptions.network === 2;
    const { name, namespace, uid, attempt } = config.metadata;
    const ips = hostNetwork ? [] : [this.#options.network + this.#takeAddress()];
    this.#sandboxes.set(id, { config, state: { id, uid, name, namespace, attempt, ready: true, createdAt: this.#options.clock.now(), ips, annotations: config.annotations, hostNetwork } });
    return id;
  }
  #takeAddress(): number {
    for (let last = 2; last < 255; last++)
      if (!this.#addresses.has(last)) {
        this.#addresses.add(last);
        return last;
      }
    throw new RuntimeError("failed", "no pod address is left on this node");
  }
  async stopSandbox(id: string): Promise<void> {
    this.#check();
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox?.state.ready) return;
    for (const container of this.#containers.values()) if (container.state.sandboxId === id && container.state.state === "running") this.#end(container, 137, "Error");
    for (const ip of sandbox.state.ips) this.#addresses.delete(Number(ip.slice(ip.lastIndexOf(".") + 1)));
    sandbox.state = { ...sandbox.state, ready: false, ips: [] };
    this.#tell(id, "ended");
  }
  async removeSandbox(id: string): Promise<void> {
    await this.stopSandbox(id);
    for (const [containerId, { state }] of this.#containers) if (state.sandboxId === id) this.#containers.delete(containerId);
    const removed = this.#sandboxes.get(id);
    if (removed) this.#names.delete(`${removed.state.uid} ${removed.state.attempt}`);
    this.#sandboxes.delete(id);
  }

  async createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string> {
    this.#check();
    if (!this.#sandboxes.has(sandboxId)) throw new RuntimeError("not-found", `sandbox ${sandboxId} not found`);
    const taken = [...this.#containers.values()].some(({ state }) => state.labels[label.podUID] === config.labels[label.podUID] && state.name === config.metadata.name && state.attempt === config.metadata.attempt);
    if (taken) throw new RuntimeError("failed", `failed to reserve container name "${config.metadata.name}" attempt ${config.metadata.attempt}: name is reserved`);
    const id = this.#id();
    const image = [...this.#images.values()].find(each => each.id === config.image.image);
    this.#containers.set(id, {
      config, starting: false, cancel: () => undefined, log: "",
      state: {
        id, sandboxId, name: config.metadata.name, attempt: config.metadata.attempt, state: "created", createdAt: this.#options.clock.now(), startedAt: 0, finishedAt: 0, exitCode: 0, reason: "", message: "",
        image: image?.tags[0] ?? config.image.image, imageRef: config.image.image, labels: config.labels, annotations: config.annotations, logPath: `${sandbox.logDirectory}/${config.logPath}`,
      },
    });
    return id;
  }
  async startContainer(id: string): Promise<void> {
    this.#check();
    const container = this.#container(id);
    const sandbox = must(this.#sandboxes.get(container.state.sandboxId), "a container has a sandbox");
    container.starting = true;
    await this.#options.clock.sleep((numberOf(sandbox.config, "start-ms") ?? startMs) / 2);
    container.starting = false;
    container.state = { ...container.state, state: "running", startedAt: this.#options.clock.now() };
    this.#write(container, `simulated container ${container.state.name} of ${sandbox.state.namespace}/${sandbox.state.name} started`);
    const plan = planOf(container.config, sandbox.config);
    if (plan) container.cancel = this.#options.clock.after(plan.runMs, () => this.#end(container, plan.exitCode, plan.exitCode === 0 ? "Completed" : "Error"));
    this.#tell(id, "started");
  }
  async stopContainer(id: string, _graceSeconds: number): Promise<void> {
    this.#check();
    const container = this.#container(id);
    if (container.state.state !== "running") return;
    await this.#options.clock.sleep(stopMs);
    // A simulated process heeds TERM and says goodbye.
    this.#end(container, 0, "Completed");
  }
  async removeContainer(id: string): Promise<void> {
    this.#check();
    const container = this.#containers.get(id);
    if (container?.starting === true) throw new RuntimeError("starting", `failed to set removing state for container "${id}": container is in starting state, can't be removed`);
    if (container?.state.state === "running") this.#end(container, 137, "Error");
    this.#containers.delete(id);
  }
  /** Ends a container as if its process had: for tests. */
  exit(id: string, exitCode: number): void {
    this.#end(this.#container(id), exitCode, exitCode === 0 ? "Completed" : "Error");
  }
  #end(container: Container, exitCode: number, reason: string): void {
    if (container.state.state !== "running") return;
    container.cancel();
    this.#write(container, `simulated container ${container.state.name} ended with code ${exitCode}`);
    container.state = { ...container.state, state: "exited", exitCode, reason, finishedAt: this.#options.clock.now() };
    this.#tell(container.state.id, "ended");
  }

  async updateResources(id: string): Promise<void> {
    this.#container(id);
  }
  async reopenLog(id: string): Promise<void> {
    this.#container(id);
  }
  /** Commands succeed, `false` and `exit N` apart. */
  async execSync(id: string, command: readonly string[], _timeoutSeconds: number): Promise<ExecResult> {
    this.#check();
    if (this.#container(id).state.state !== "running") throw new RuntimeError("failed", "container is not running");
    return { stdout: new Uint8Array(), stderr: new Uint8Array(), exitCode: endOf(command)?.exitCode ?? 0 };
  }

  async podState(uid: string): Promise<PodState> {
    this.#check();
    const newest = <T extends { readonly createdAt: number; readonly attempt: number }>(states: readonly T[]): readonly T[] => [...states].sort((a, b) => b.createdAt - a.createdAt || b.attempt - a.attempt);
    return {
      sandboxes: newest([...this.#sandboxes.values()].map(({ state }) => state).filter(state => state.uid === uid)),
      containers: newest([...this.#containers.values()].map(({ state }) => state).filter(state => state.labels[label.podUID] === uid)),
    };
  }
  async list(): Promise<{ readonly sandboxes: readonly Listed[]; readonly containers: readonly Listed[] }> {
    this.#check();
    return {
      sandboxes: [...this.#sandboxes.values()].map(({ state }) => ({ id: state.id, podUID: state.uid, state: state.ready ? "ready" : "notready" })),
      containers: [...this.#containers.values()].map(({ state }) => ({ id: state.id, podUID: state.labels[label.podUID] ?? "", state: state.state })),
    };
  }
  events(onChange: (id: string, what: "started" | "ended") => void, signal: AbortSignal): Promise<void> {
    this.#check();
    this.#listeners.add(onChange);
    return new Promise(resolve => {
      const stop = (): void => {
        this.#listeners.delete(onChange);
        resolve();
      };
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
  }

  async writableLayers(): Promise<ReadonlyMap<string, { readonly bytes: number; readonly inodes: number }>> {
    return new Map();
  }
  async images(): Promise<readonly ImageState[]> {
    return [...this.#images.values()];
  }
  async image(reference: string): Promise<ImageState | undefined> {
    return this.#images.get(reference);
  }
  async pullImage(reference: string, _credentials: unknown, sandbox: SandboxConfig | undefined): Promise<string> {
    this.#check();
    await this.#options.clock.sleep((sandbox && numberOf(sandbox, "pull-ms")) ?? pullMs);
    if (/\/missing(:[^/]*)?$/.test(reference)) throw new RuntimeError("not-found", `failed to resolve reference "${reference}": ${reference}: not found`);
    const image = { id: `sha256:simulated-${reference}`, tags: [reference], digests: [], size: 1_000_000, uid: imageUser, pinned: false };
    this.#images.set(reference, image);
    return image.id;
  }
  async removeImage(reference: string): Promise<void> {
    this.#images.delete(reference);
  }

  async viewImage(reference: string): Promise<{ readonly type: string; readonly source: string; readonly options: readonly string[] }> {
    return { type: "simulated", source: reference, options: [] };
  }
  async releaseView(): Promise<void> {
    this.#check();
  }

  /** What the containers have "said", as files. */
  logFiles(): LogFiles {
    return {
      open: async path => {
        const container = [...this.#containers.values()].find(({ state }) => state.logPath === path);
        return container && memoryFile(() => utf8.encode(container.log));
      },
      changed: (_path, signal) => this.#options.clock.sleep(1_000, signal),
    };
  }
  #write(container: Container, text: string): void {
    const stamp = new Date(this.#options.clock.now()).toISOString().replace("Z", "000000Z");
    container.log = `${container.log}${stamp} stdout F ${text}\n`.slice(-logCharsMax);
  }

  #container(id: string): Container {
    const container = this.#containers.get(id);
    if (!container) throw new RuntimeError("not-found", `container ${id} not found`);
    return container;
  }
  #tell(id: string, what: "started" | "ended"): void {
    for (const listener of this.#listeners) listener(id, what);
  }
  #id(): string {
    const id = [...this.#options.random.bytes(32)].map(byte => byte.toString(16).padStart(2, "0")).join("");
    assert(!this.#containers.has(id) && !this.#sandboxes.has(id), "random ids do not repeat");
    return id;
  }
}

function memoryFile(content: () => Uint8Array): LogFile {
  return {
    read: async (offset, length) => content().subarray(offset, offset + length),
    size: async () => content().length, current: async () => true, close: async () => undefined,
  };
}

function numberOf({ annotations }: SandboxConfig, name: string): number | undefined {
  const value = Number(annotations[annotated + name] ?? "none");
  return Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** When and how a container ends by itself; undefined: never. */
function planOf(config: ContainerConfig, sandbox: SandboxConfig): { readonly runMs: number; readonly exitCode: number } | undefined {
  const runMs = numberOf(sandbox, "run-ms");
  const exitCode = numberOf(sandbox, "exit-code");
  if (runMs !== undefined || exitCode !== undefined) return { runMs: runMs ?? 0, exitCode: exitCode ?? 0 };
  const plain = endOf([...config.command, ...config.args]);
  const ends = config.labels[label.role] === "init" || sandbox.labels[jobName] !== undefined || sandbox.annotations[helmHook] !== undefined;
  return plain ?? (ends ? { runMs: jobMs, exitCode: 0 } : undefined);
}

function endOf(words: readonly string[]): { readonly runMs: number; readonly exitCode: number } | undefined {
  const [program = "", first = ""] = words;
  const name = program.slice(program.lastIndexOf("/") + 1);
  if (name === "true") return { runMs: 0, exitCode: 0 };
  if (name === "false") return { runMs: 0, exitCode: 1 };
  if (name === "sleep" && /^\d+(\.\d+)?$/.test(first)) return { runMs: Number(first) * 1000, exitCode: 0 };
  const script = (name === "sh" || name === "bash") && first === "-c" ? /(?:^|[;&\n ])exit (\d{1,3})$/.exec((words[2] ?? "").trimEnd()) : null;
  return script ? { runMs: 0, exitCode: Number(script[1]) } : undefined;
}
