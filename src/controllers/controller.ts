import type { ValidatingAdmissionPolicy } from "../kinds/admissionregistration/validatingadmissionpolicy.ts";
import { ApiError } from "../base/api-error.ts";
import { InvariantViolation } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import { messageOf, type Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Selector } from "../base/selector.ts";
import type { Service } from "../base/supervise.ts";
import type { Client, DeleteOptions, ObjectList, Patch, WriteOptions } from "../client/client.ts";
import { EventRecorder } from "../client/events.ts";
import { byNamespace, joinKey, keyOf, type Change, type Copy, type Informer } from "../client/informer.ts";
import type { Informers } from "../client/informers.ts";
import { apiVersionOf, type AnyKind, type New, type Resource } from "../kinds/kind.ts";
import type { SignWithToken } from "./bootstrap-tokens.ts";
import type { CertificateSigner } from "./certificate-signer.ts";
import type { LoadBalancers } from "./load-balancer-plan.ts";
import { KeyQueue } from "./queue.ts";
import type { QueueFigures } from "./queue-figures.ts";

/** Everything a controller is given; there is nothing else it can reach. */
export type World = {
  readonly client: Client;
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly kinds: KindSource;
  readonly settings: Settings;
  /** Counts what goes through the queues; absent: nobody does. */
  readonly queues?: QueueFigures;
};

/** Every kind that is served now, custom ones and those that other API servers store included. */
export interface KindSource {
  list(): readonly AnyKind[];
  /** `group/version` of what other servers serve and cannot be discovered now, in order. */
  undiscovered(): readonly string[];
  /** Calls `listener` after the list has changed; returns how to stop. */
  onChange(listener: () => void): () => void;
}

/** What an operator may set, with upstream's defaults in `defaultSettings`. */
export type Settings = {
  /** Reads and signs certificate requests; without it they are left to others. */
  readonly certificates?: CertificateSigner;
  /** Says what is wrong with the types in a policy's expressions; without it nobody does. */
  readonly checkPolicy?: (policy: ValidatingAdmissionPolicy) => Promise<readonly { readonly fieldRef: string; readonly warning: string }[]>;
  /** Signs `cluster-info`; without it nobody does. */
  readonly signWithToken?: SignWithToken;
  /** The token of a service account for a Secret to hold; without it Secrets of that type stay empty. */
  readonly secretToken?: (account: { readonly namespace: string; readonly name: string; readonly uid: string }, secret: string) => string;
  /** PEM of the CA that pods trust the API server by; published in every namespace. */
  readonly rootCA: string;
  /** Finished pods kept before the oldest are removed (--terminated-pod-gc-threshold). */
  readonly terminatedPodsMax: number;
  /** A node is Unknown when its lease was not renewed for this long (--node-monitor-grace-period). */
  readonly nodeGraceMs: number;
  /** Grace for a node that has never reported (--node-startup-grace-period). */
  readonly nodeStartupGraceMs: number;
  /** Nodes evicted per second in a healthy zone (--node-eviction-rate), and in one that is partly down. */
  readonly evictionRate: number;
  readonly secondaryEvictionRate: number;
  readonly unhealthyZoneThreshold: number;
  readonly largeClusterNodes: number;
  /** Addresses for LoadBalancer services; without them such services are left to others. */
  readonly loadBalancers?: LoadBalancers;
};
export const defaultSettings: Settings = {
  rootCA: "", terminatedPodsMax: 12_500, nodeGraceMs: 50_000, nodeStartupGraceMs: 60_000,
  evictionRate: 0.1, secondaryEvictionRate: 0.01, unhealthyZoneThreshold: 0.55, largeClusterNodes: 50,
};

/** What `reconcile` may touch: reads from local copies, writes through the API, the time. Every write is awaited by the loop before this key runs again. */
export interface Context {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly settings: Settings;
  readonly events: EventRecorder;
  read<K extends AnyKind>(kind: K): Copy<Resource<K>>;
  /** Every kind that is served and stored now. Their objects may be read only by a controller that watches `everyKind`; copies of other servers' may be empty at first. */
  kinds(): readonly AnyKind[];
  /** Kinds in namespaces whose objects can be deleted, watched or not, and the `group/version`s of which that is not known now. */
  deletable(): { readonly kinds: readonly AnyKind[]; readonly undiscovered: readonly string[] };
  /** Asks the server itself; `undefined` when it is not there. */
  live<K extends AnyKind>(kind: K, namespace: string, name: string): Promise<Resource<K> | undefined>;
  /** Lists from the server itself. */
  liveList<K extends AnyKind>(kind: K, namespace: string): Promise<ObjectList<Resource<K>>>;
  create<K extends AnyKind>(kind: K, object: New<K>): Promise<Resource<K>>;
  update<K extends AnyKind>(kind: K, object: Resource<K>, options?: WriteOptions): Promise<Resource<K>>;
  updateStatus<K extends AnyKind>(kind: K, object: Resource<K>): Promise<Resource<K>>;
  patch<K extends AnyKind>(kind: K, object: Resource<K>, patch: Patch, options?: WriteOptions): Promise<Resource<K>>;
  /** Deletes this very object: refused if another has taken its name. Already gone counts as deleted. */
  delete<K extends AnyKind>(kind: K, object: Resource<K>, options?: DeleteOptions): Promise<void>;
  /** Any path of the API, as JSON: for what no copy shows (metrics, scales). What it writes is not waited for. */
  request(method: "GET" | "PUT", target: string, body?: Json): Promise<Json>;
  /** Awaits a write to something that may be gone by now, which is as good as written. */
  ifThere(write: Promise<unknown>): Promise<void>;
}

/** Returning means "nothing to do until something changes"; `after` (ms) also asks to be called again. Throwing means "retry, later each time". */
export type Outcome = { readonly after: number } | undefined;

export type Controller = {
  readonly name: string;
  /** The service account in kube-system as which it acts ("": the controller manager itself), with the rights of its default role (upstream cmd/kube-controller-manager/names). */
  readonly account: string;
  /** The name under which its events appear; default `<name>-controller`. */
  readonly component?: string;
  /** Absent for a controller whose keys all come from `watches` and `everyKind`. */
  readonly reconciles?: AnyKind;
  /** Other kinds to watch, and which of our keys each change of theirs concerns. */
  readonly watches: readonly Watched[];
  /** Kinds that are read besides, without being woken by them. */
  readonly reads?: readonly AnyKind[];
  /** Watch every kind that is stored but `unless`, custom ones included as they come and go. */
  readonly everyKind?: { readonly keysOf: Watched["keysOf"]; readonly unless: readonly AnyKind[] };
  /** Keys looked at side by side; upstream's usual number is 5. */
  readonly workers?: number;
  /** The longest wait after failures; upstream's usual one is 1000 s. */
  readonly retryMaxMs?: number;
  readonly reconcile: (key: string, context: Context) => Promise<Outcome>;
};
export type Watched = { readonly kind: AnyKind; readonly keysOf: (object: any, context: Context, change: Change<any>) => Iterable<string> };

/** Watch a kind whose objects we own: an object concerns the controller named in its `ownerReferences`, and the one that was. */
export function owned(kind: AnyKind, owner: AnyKind): Watched {
  return { kind, keysOf: (object, _context, { previous }) => ownerKeys(object, previous, owner) };
}
/** The same, for objects that are adopted: one that nobody manages concerns every `owner` that selects it. */
export function ownedOrSelected<K extends AnyKind>(kind: AnyKind, owner: K, selectorOf: (owner: Resource<K>) => Selector): Watched {
  return {
    kind,
    keysOf: (object: Resource<AnyKind>, context, { type, previous }) => {
      const keys = ownerKeys(object, previous, owner);
      if (type === "deleted" || object.metadata.ownerReferences?.some(ref => ref.controller === true) === true) return keys;
      const selecting = context.read(owner).by(byNamespace, object.metadata.namespace ?? "").filter(each => selectorOf(each).matches(object.metadata.labels));
      return selecting.length === 0 ? keys : [...keys, ...selecting.map(keyOf)];
    },
  };
}
function ownerKeys(object: Resource<AnyKind>, previous: Resource<AnyKind> | undefined, owner: AnyKind): readonly string[] {
  const keys = controllerKeys(object, owner);
  const before = previous === undefined ? none : controllerKeys(previous, owner);
  return before.length === 0 || before[0] === keys[0] ? keys : [...before, ...keys];
}
/** The key of the `owner` kind's object that manages `object`, if there is one. */
export function controllerKeys(object: Resource<AnyKind>, owner: AnyKind): readonly string[] {
  const ref = object.metadata.ownerReferences?.find(ref => ref.controller === true);
  return ref !== undefined && ref.kind === owner.kind && ref.apiVersion === apiVersionOf(owner) ? [joinKey(owner.namespaced ? object.metadata.namespace : "", ref.name)] : none;
}
const none: readonly string[] = [];

/** For tests of the simulator only: what happens when a controller does not wait for its own writes. */
export type LoopMutant = "stale-reads" | undefined;

const workersDefault = 5;

/** Turns a controller into a service: copies, queue and workers. */
export function loop(controller: Controller, mutant?: LoopMutant): (world: World) => Service {
  return world => ({ name: `controller ${controller.name}`, run: signal => runLoop(controller, world, signal, mutant) });
}

async function runLoop(controller: Controller, world: World, signal: AbortSignal, mutant: LoopMutant): Promise<void> {
  if (signal.aborted) return;
  const log = world.log.child(controller.name);
  const events = new EventRecorder({ component: controller.component ?? `${controller.name}-controller`, client: world.client, clock: world.clock, random: world.random, log });
  const queue = new KeyQueue(world.clock, world.queues && { name: controller.name, figures: world.queues }, controller.retryMaxMs);
  const copies: Copies = { informers: new Map(), every: controller.everyKind !== undefined };
  const copyOf = (kind: AnyKind): Informer<AnyKind> => {
    const informer = copies.informers.get(kind) ?? world.informers.of(kind);
    copies.informers.set(kind, informer);
    return informer;
  };
  const looking = contextFor(world, log, events, copies, new Writes(), signal);
  const stops: (() => void)[] = [];
  // Changes wake keys from now on; what is there already is looked at when all copies are in.
  const watch = ({ kind, keysOf }: Watched): (() => void) => {
    const informer = copyOf(kind);
    stops.push(informer.onChange(change => {
      const keys = keysOf(change.object, looking, change);
      // Every change of every object comes by every controller, and concerns few: an iterator each would be most of the work.
      if (!Array.isArray(keys) || keys.length > 0) for (const key of keys) queue.add(key);
    }));
    return () => {
      for (const object of informer.list()) for (const key of keysOf(object, looking, { type: "added", object })) queue.add(key);
    };
  };
  for (const kind of controller.reads ?? []) copyOf(kind);
  const own: readonly Watched[] = controller.reconciles === undefined ? [] : [{ kind: controller.reconciles, keysOf: object => [keyOf(object)] }];
  const first = [...own, ...controller.watches].map(watch);
  if (controller.everyKind !== undefined) {
    const { keysOf, unless } = controller.everyKind;
    stops.push(watchEveryKind(world, unless, copies, kind => {
      const addAll = watch({ kind, keysOf });
      void copyOf(kind).listed(signal).then(addAll);
    }));
  }
  const stop = (): void => queue.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    // Another server may be away for long.
    await Promise.all([...copies.informers.values()].filter(({ kind }) => kind.remote !== true).map(informer => informer.listed(signal)));
    for (const addAll of first) addAll();
    await Promise.all(Array.from({ length: controller.workers ?? workersDefault }, () => work(controller, queue, copies, { ...world, log }, events, signal, mutant)));
  } finally {
    stop();
    signal.removeEventListener("abort", stop);
    for (const stopListening of stops) stopListening();
    events.close();
  }
}

/** The local copies that a controller may read. */
type Copies = { readonly informers: Map<AnyKind, Informer<AnyKind>>; readonly every: boolean };

/** Kinds whose objects are stored, and can be listed and watched. */
export function isStored(kind: AnyKind): boolean {
  return kind.virtual !== true && (kind.verbs === undefined || (kind.verbs.includes("list") && kind.verbs.includes("watch")));
}

function watchEveryKind({ kinds, informers }: Pick<World, "kinds" | "informers">, unless: readonly AnyKind[], copies: Copies, watch: (kind: AnyKind) => void): () => void {
  const watching = new Set<AnyKind>();
  const look = (): void => {
    const served = new Set(kinds.list().filter(kind => isStored(kind) && !unless.includes(kind)));
    for (const kind of served)
      if (!watching.has(kind)) {
        watching.add(kind);
        watch(kind);
      }
    for (const kind of watching)
      if (!served.has(kind)) {
        watching.delete(kind);
        copies.informers.delete(kind);
        if (kind.remote === true) informers.drop(kind);
      }
  };
  look();
  return kinds.onChange(look);
}

async function work(controller: Controller, queue: KeyQueue, copies: Copies, world: World, events: EventRecorder, signal: AbortSignal, mutant: LoopMutant): Promise<void> {
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    const writes = new Writes();
    try {
      const outcome = await controller.reconcile(key, contextFor(world, world.log, events, copies, writes, signal));
      queue.succeeded(key);
      if (outcome === undefined) queue.cancel(key);
      else queue.addAfter(key, outcome.after);
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      const again = queue.failed(key);
      // A conflict is the usual way to learn of somebody else's write, and not found of a deletion: not worth a line.
      if (!(error instanceof ApiError && (error.reason === "Conflict" || error.reason === "NotFound"))) world.log.warn("will try again", { key, afterMs: Math.round(again), error: messageOf(error) });
      queue.addAfter(key, again);
    }
    if (mutant !== "stale-reads") await writes.shown(copies.informers, signal);
    queue.done(key);
  }
}

/**
 * What one run of `reconcile` has written, so that the next run of the same key can wait until the copies show it. Another server's copies are
 * not waited for: it may be gone, and its resource versions say nothing here. Who writes to it judges what it says itself, and names that version.
 */
class Writes {
  readonly #revisions = new Map<AnyKind, number>();
  readonly #deleted: { readonly kind: AnyKind; readonly key: string; readonly uid: string }[] = [];
  readonly #unknown = new Set<AnyKind>();
  #pending: Promise<unknown>[] = [];

  wrote(kind: AnyKind, object: Resource<AnyKind>): void {
    if (kind.remote !== true) this.#revisions.set(kind, Math.max(this.#revisions.get(kind) ?? 0, Number(object.metadata.resourceVersion)));
  }
  deleted(kind: AnyKind, object: Resource<AnyKind>): void {
    if (kind.remote !== true) this.#deleted.push({ kind, key: keyOf(object), uid: object.metadata.uid });
  }
  /** Carries out a write; when its outcome is unknown, notes that the kind must be listed anew. */
  async track<T>(kind: AnyKind, write: Promise<T>): Promise<T> {
    this.#pending.push(write.then(() => undefined, () => undefined));
    try {
      return await write;
    } catch (error) {
      if (kind.remote !== true && (!(error instanceof ApiError) || error.code >= 500)) this.#unknown.add(kind);
      throw error;
    }
  }
  async shown(informers: ReadonlyMap<AnyKind, Informer<AnyKind>>, signal: AbortSignal): Promise<void> {
    // Writes that ran side by side with one that failed may still be under way.
    await Promise.all(this.#pending);
    for (const kind of this.#unknown) await informers.get(kind)?.relisted(signal);
    for (const [kind, revision] of this.#revisions) await informers.get(kind)?.reached(revision, signal);
    for (const { kind, key, uid } of this.#deleted) await informers.get(kind)?.showsDeleted(key, uid, signal);
  }
}

function contextFor(world: World, log: Log, events: EventRecorder, { informers, every }: Copies, writes: Writes, signal: AbortSignal): Context {
  const { client, clock, random, settings } = world;
  const noted = async <K extends AnyKind>(kind: K, write: Promise<Resource<K>>): Promise<Resource<K>> => {
    const object = await writes.track(kind, write);
    writes.wrote(kind, object);
    return object;
  };
  return {
    clock, random, log, settings, events,
    read: kind => {
      const informer = informers.get(kind) ?? (every ? world.informers.of(kind) : undefined);
      if (informer === undefined) throw new InvariantViolation(`a controller reads only the kinds it has declared, not ${kind.plural}`);
      return informer as never;
    },
    kinds: () => world.kinds.list().filter(isStored),
    deletable: () => {
      const undiscovered = world.kinds.undiscovered();
      const isDeletable = (kind: AnyKind): boolean => (kind.remote === true ? !undiscovered.includes(apiVersionOf(kind)) : isStored(kind) && (kind.verbs === undefined || kind.verbs.includes("delete")));
      return { kinds: world.kinds.list().filter(kind => kind.namespaced && isDeletable(kind)), undiscovered };
    },
    live: (kind, namespace, name) => readAgain(clock, signal, () => client.get(kind, namespace, name)).catch((error: unknown) => {
      if (error instanceof ApiError && error.reason === "NotFound") return undefined;
      throw error;
    }),
    liveList: (kind, namespace) => readAgain(clock, signal, () => client.list(kind, { namespace })),
    create: (kind, object) => noted(kind, client.create(kind, object)),
    update: (kind, object, options) => noted(kind, client.update(kind, object, options)),
    updateStatus: (kind, object) => noted(kind, client.updateStatus(kind, object)),
    patch: (kind, object, patch, options) => noted(kind, client.patch(kind, object.metadata.namespace ?? "", object.metadata.name, patch, options)),
    delete: async (kind, object, options) => {
      const { namespace = "", name, uid } = object.metadata;
      try {
        await writes.track(kind, client.delete(kind, namespace, name, { ...options, preconditions: { uid, ...options?.preconditions } }));
      } catch (error) {
        if (!(error instanceof ApiError && error.reason === "NotFound")) throw error;
      }
      writes.deleted(kind, object);
    },
    request: (method, target, body) => client.request(method, target, body),
    ifThere: async write => {
      try {
        await write;
      } catch (error) {
        if (!(error instanceof ApiError && error.reason === "NotFound")) throw error;
      }
    },
  };
}

const readTriesMax = 5;
const readWaitMs = 10;

/** A read that got no answer is asked again a few times, for one that needs many of them would hardly ever get through all. */
async function readAgain<T>(clock: Clock, signal: AbortSignal, read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await read();
    } catch (error) {
      if (error instanceof ApiError || error instanceof InvariantViolation || tries === readTriesMax || signal.aborted) throw error;
      await clock.sleep(readWaitMs * 2 ** tries, signal);
    }
}

/** `Json` of something that has optional fields, for patches. */
export function jsonOf(value: unknown): Json {
  return value as Json;
}
