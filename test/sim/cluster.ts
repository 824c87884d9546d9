import { serviceAccountUser } from "../../src/api/authn/service-account-token.ts";
import { authorizerChain, privileged } from "../../src/api/authz/authorizer.ts";
import { Rbac } from "../../src/api/authz/rbac.ts";
import { bootstrapSystem } from "../../src/api/bootstrap/system.ts";
import type { User } from "../../src/api/context.ts";
import type { ReadNodeStats } from "../../src/api/metrics/sampler.ts";
import { ApiServer } from "../../src/api/server.ts";
import { silent, type Log } from "../../src/base/log.ts";
import { supervise, type Service } from "../../src/base/supervise.ts";
import type { Client, WatchEvent } from "../../src/client/client.ts";
import { Informers } from "../../src/client/informers.ts";
import { defaultSettings, type Settings, type World } from "../../src/controllers/controller.ts";
import { controllers } from "../../src/controllers/index.ts";
import { Namespace } from "../../src/kinds/core/namespace.ts";
import { kinds } from "../../src/kinds/index.ts";
import type { AnyKind, Resource } from "../../src/kinds/kind.ts";
import { kindsOf } from "../../src/main/kind-source.ts";
import { localClient } from "../../src/main/local-client.ts";
import { MemoryDisk, MemoryEngine } from "../../src/store/memory.ts";
import { RevisionedStore } from "../../src/store/revisioned-store.ts";
import { prefixOf } from "../../src/api/registry.ts";
import { VirtualClock } from "./clock.ts";
import { calm, faultyClient, type Faults } from "./faulty-client.ts";
import type { OtherServer } from "./other-server.ts";
import { SeededRandom } from "./random.ts";

export type ClusterOptions = {
  readonly faults?: Faults;
  /** What a node says of the load of its pods. */
  readonly stats?: ReadNodeStats;
  /** Mean time between deaths of each component; never if absent. */
  readonly crashEveryMs?: number;
  readonly serverCrashEveryMs?: number;
  readonly settings?: Partial<Settings>;
  readonly mutant?: string | undefined;
  /** Start as the real server does, and let each controller act as its own service account. */
  readonly rbac?: boolean;
  /** Custom resources have patterns and rules. */
  readonly customResources?: Pick<ConstructorParameters<typeof ApiServer>[0], "compilePattern" | "loadCel">;
  /** Who answers behind APIServices. */
  readonly otherServer?: () => OtherServer;
  /** A mutant: controllers do not hear of what other servers serve. */
  readonly blindToOthers?: boolean;
};
type Any = Resource<AnyKind>;
type Server = { readonly api: ApiServer; readonly store: RevisionedStore; readonly engine: MemoryEngine; readonly admin: Client; readonly life: AbortController };

/** A whole cluster in one thread: the real store, API server, controllers and scheduler; a simulated network, nodes and clock. */
export class Cluster {
  readonly clock = new VirtualClock();
  readonly random: SeededRandom;
  readonly log: Log;
  readonly mutant: string | undefined;
  /** Which kinds are served now; nobody hears of changes of a server that has died. */
  get registry(): ApiServer["registry"] | undefined { return this.#server?.api.registry; }
  /** Faults can be turned off, for instance to see whether everything then comes to rest. */
  faults: Faults;
  readonly #options: ClusterOptions;
  readonly #disk = new MemoryDisk();
  readonly #stop = new AbortController();
  readonly #listeners: ((type: "put" | "delete", object: Any, previous: Any | undefined) => void)[] = [];
  #server: Server | undefined;
  #hash = 0x811c9dc5;
  /** The first thing that must never happen but did. */
  violation: string | undefined;

  constructor(seed: number, options: ClusterOptions = {}) {
    this.random = new SeededRandom(seed);
    this.#options = options;
    this.faults = options.faults ?? calm;
    this.mutant = options.mutant;
    this.log = process.env["TRACE"] === "1" ? traceLog(line => this.trace(line)) : silent;
  }
  get signal(): AbortSignal {
    return this.#stop.signal;
  }
  get settings(): Settings {
    return { ...defaultSettings, rootCA: "-----BEGIN CERTIFICATE-----\nsimulated\n", ...this.#options.settings };
  }
  /** Without faults, for what the test itself does. */
  get admin(): Client {
    return this.#live().admin;
  }
  get store(): RevisionedStore {
    return this.#live().store;
  }
  /** One number for everything that happened, in order. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16);
  }
  /** TRACE=1 prints what happens, in virtual time. */
  trace(line: string): void {
    const text = `${this.clock.monotonic().toFixed(3)} ${line}`;
    for (let i = 0; i < text.length; i++) this.#hash = Math.imul(this.#hash ^ text.charCodeAt(i), 0x01000193);
    if (process.env["TRACE"] === "1") console.log(`${String(Math.round(this.clock.monotonic())).padStart(8)} ms  ${line}`);
  }
  /** Notes what must never happen; the next `until` fails with it. */
  violate(what: string): void {
    this.violation ??= `${what} (at ${Math.round(this.clock.monotonic())} ms)`;
  }

  async start(): Promise<void> {
    await this.#startServer();
    if (this.#options.rbac === true)
      await this.run(bootstrapSystem(this.#live().api.core, { address: "10.0.0.1", port: 6443, serviceAddress: "10.96.0.1", clientCa: "a", frontProxyCa: "b", frontProxyNames: [] }));
    for (const name of ["default", "kube-system", "kube-node-lease"])
      await this.run(this.admin.create(Namespace, { metadata: { name } }).then(() => undefined, () => undefined));
    if (this.#options.serverCrashEveryMs !== undefined) void this.#crashServer(this.#options.serverCrashEveryMs);
  }
  /** Ends everything. Nothing may happen afterwards. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#server?.life.abort();
    await this.run(Promise.resolve());
  }

  /** Everything stored of a kind, as it truly is. */
  all<K extends AnyKind>(kind: K): readonly Resource<K>[] {
    const { api, store } = this.#live();
    return store.list(prefixOf(kind)).entries.map(entry => api.core.objects.object(entry) as Resource<K>);
  }
  /** Every change as it becomes durable and visible, before anybody else hears of it. */
  onChange(listener: (type: "put" | "delete", object: Any, previous: Any | undefined) => void): void {
    this.#listeners.push(listener);
  }
  client(name: string, life: AbortSignal, tamper?: (event: WatchEvent<Any>) => readonly WatchEvent<Any>[], user?: User): Client {
    return faultyClient({
      name, clock: this.clock, random: this.random.fork(), faults: () => this.faults, life, trace: line => this.trace(line),
      server: () => ({ client: user === undefined ? this.#live().admin : localClient(this.#live().api, { user, userAgent: name, ...this.#passOn() }), life: this.#live().life.signal }), ...(tamper === undefined ? {} : { tamper }),
      refused: error => {
        // In a namespace that is ending everybody is refused.
        if (!error.message.includes("being terminated")) this.violate(`${name} may not do what it wants: ${error.message}`);
      },
    });
  }
  world(name: string, life: AbortSignal): World {
    const client = this.client(name, life);
    const { clock, settings } = this;
    const log = this.log.child(name);
    return { client, clock, log, settings, random: this.random.fork(), informers: new Informers(client, { clock, log }, life), kinds: this.#options.otherServer === undefined || this.#options.blindToOthers === true ? { list: () => kinds, onChange: () => () => undefined, undiscovered: () => [] } : kindsOf(this.#live().api) };
  }
  #passOn(): { readonly passOn?: OtherServer["passOn"] } {
    const other = this.#options.otherServer?.();
    return other === undefined ? {} : { passOn: other.passOn };
  }
  /** Runs a component as a process of its own that dies and comes back now and then. */
  process(name: string, main: (life: AbortSignal) => Promise<void>): void {
    void (async () => {
      while (!this.signal.aborted) {
        const life = new AbortController();
        const end = (): void => life.abort();
        this.signal.addEventListener("abort", end, { once: true });
        main(life.signal).catch((error: unknown) => this.violate(`${name} ended: ${(error as Error).message}`));
        const { crashEveryMs } = this.#options;
        await this.clock.sleep(crashEveryMs === undefined ? 1e12 : crashEveryMs * (0.5 + this.random.next()), this.signal);
        this.signal.removeEventListener("abort", end);
        this.trace(`${name}  killed`);
        life.abort();
      }
    })();
  }
  /** The real controllers, all or those named. */
  runControllers(names?: readonly string[], change: (service: (world: World) => Service, name: string) => (world: World) => Service = service => service): void {
    this.process("controllers", async life => {
      const world = this.world("controllers", life);
      await Promise.all(controllers.filter(({ name }) => names === undefined || names.includes(name)).map(({ name, account, service }) =>
        supervise(change(service, name)(this.#options.rbac === true ? { ...world, client: this.client(name, life, undefined, serviceAccountUser("kube-system", account)) } : world), { clock: this.clock, maxWaitMs: 5_000, log: world.log }, life)));
    });
  }

  /** Waits for the test's own promise, letting virtual time pass. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const settled = promise.finally(() => (done = true));
    settled.catch(() => undefined);
    await this.clock.until(() => done, 600_000, "the answer");
    return settled;
  }
  async until(goal: () => boolean, deadlineMs: number, what: string): Promise<void> {
    await this.clock.until(() => {
      if (this.violation !== undefined) throw new Error(this.violation);
      return goal();
    }, deadlineMs, what);
  }
  /** No write for a while: everybody is content. */
  async rest(quietMs: number, deadlineMs: number): Promise<void> {
    let last = this.clock.monotonic();
    let revision = this.store.revision;
    await this.until(() => {
      if (this.store.revision !== revision) {
        revision = this.store.revision;
        last = this.clock.monotonic();
      }
      return this.clock.monotonic() - last >= quietMs;
    }, deadlineMs, "rest");
  }

  #live(): Server {
    if (this.#server === undefined) throw new Error("the server is down");
    return this.#server;
  }
  async #startServer(): Promise<void> {
    const { clock } = this;
    const engine = new MemoryEngine({ disk: this.#disk, clock, flushMs: 0.5 });
    const life = new AbortController();
    const rbac = new Rbac();
    const opened = RevisionedStore.open(engine, { clock, log: this.log.child("store"), onFailure: () => undefined });
    const store = await opened;
    rbac.follow(store);
    const api = new ApiServer({
      store, kinds, clock, random: this.random.fork(), log: this.log.child("api"), freeze: true, ...this.#options.customResources,
      authenticator: () => ({ authenticate: async () => undefined, reviewToken: async () => ({ authenticated: false }) }),
      authorizer: () => authorizerChain(privileged, rbac),
      parseYaml: () => { throw new Error("no YAML in the simulator"); }, sha512: () => new Uint8Array(64),
      build: { gitVersion: "v1.36.0", gitCommit: "", buildDate: "", platform: "", runtime: "" }, address: "sim:0",
      ...(this.#options.otherServer === undefined ? {} : { fetchRemote: this.#options.otherServer().fetch }),
      ...(this.#options.stats === undefined ? {} : { readNodeStats: this.#options.stats }),
      fatal: error => { if (!life.signal.aborted) this.violate(`the API server ended: ${error.message}`); },
    });
    const admin = localClient(api, { ...this.#passOn(), user: { name: "admin", uid: "", groups: ["system:masters"], extra: {} }, userAgent: "sim", signal: life.signal });
    this.#server = { api, store, engine, admin, life };
    // Definitions are accepted by a loop of the server's own.
    if (this.#options.customResources) void api.run(life.signal).catch((error: unknown) => { if (!life.signal.aborted) this.violate(`the API server's loops ended: ${String(error)}`); });
    store.watch("/registry/", store.revision, ({ changes }) => {
      for (const change of changes)
        for (const listener of this.#listeners)
          listener(change.type, api.core.objects.object(change.entry) as Any, change.previous === undefined ? undefined : (api.core.objects.object(change.previous) as Any));
    });
  }
  async #crashServer(everyMs: number): Promise<void> {
    while (!this.signal.aborted) {
      await this.clock.sleep(everyMs * (0.5 + this.random.next()), this.signal);
      const server = this.#server;
      if (server === undefined || this.signal.aborted) return;
      const kept = this.random.chance(0.5);
      this.trace(`server  killed, the commit under way is ${kept ? "kept" : "lost"}`);
      server.life.abort();
      server.engine.crash(kept);
      await this.#startServer();
    }
  }
}

function traceLog(trace: (line: string) => void): Log {
  const write = (message: string, fields: object = {}): void => trace(`log  ${message} ${JSON.stringify(fields)}`);
  return { debug: () => undefined, info: write, warn: write, error: write, child: name => traceLog(line => trace(`${name}: ${line}`)) };
}
