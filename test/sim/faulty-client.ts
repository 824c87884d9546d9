import type { Client, WatchEvent } from "../../src/client/client.ts";
import { isApiError, type ApiError } from "../../src/base/api-error.ts";
import type { AnyKind, Resource } from "../../src/kinds/kind.ts";
import type { SeededRandom } from "./random.ts";
import type { VirtualClock } from "./clock.ts";

/** What the network between a component and the server does. Probabilities are per request, or per event. */
export type Faults = {
  readonly latencyMs: number;
  /** The request never arrives. */
  readonly lostRequests: number;
  /** It is carried out, and nobody is told. */
  readonly lostAnswers: number;
  readonly watchLagMs: number;
  readonly watchDrops: number;
};
export const calm: Faults = { latencyMs: 2, lostRequests: 0, lostAnswers: 0, watchLagMs: 0, watchDrops: 0 };
export const rough: Faults = { latencyMs: 6, lostRequests: 0.1, lostAnswers: 0.1, watchLagMs: 150, watchDrops: 0.01 };

export type FaultyOptions = {
  readonly name: string;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly faults: () => Faults;
  /** The server as it is now, and a signal that aborts when that very process dies. */
  readonly server: () => { readonly client: Client; readonly life: AbortSignal };
  /** Aborts when the component itself dies: a dead process sends nothing more. */
  readonly life: AbortSignal;
  readonly trace: (line: string) => void;
  readonly refused: (error: ApiError) => void;
  /** For mutants: what becomes of the events of a watch. */
  readonly tamper?: (event: WatchEvent<Resource<AnyKind>>) => readonly WatchEvent<Resource<AnyKind>>[];
};

/** A client that reaches the server over a network that loses, delays and breaks. */
export function faultyClient(options: FaultyOptions): Client {
  const { name, clock, random, faults, server, life, trace } = options;
  const call = async <T>(what: string, run: (client: Client) => Promise<T>): Promise<T> => {
    const { latencyMs, lostRequests, lostAnswers } = faults();
    await clock.sleep(random.next() * latencyMs);
    life.throwIfAborted();
    if (random.chance(lostRequests)) {
      trace(`${name}  ${what}  lost on the way`);
      throw new Error(`${what}: connection refused`);
    }
    const { client, life: serverLife } = server();
    const answer = await unlessDead(run(client), serverLife).then(value => ({ value }), (error: unknown) => ({ error }));
    if ("error" in answer && isApiError(answer.error, "Forbidden")) options.refused(answer.error);
    trace(`${name}  ${what}  ${"error" in answer ? (answer.error as Error).message.slice(0, 60) : "ok"}`);
    await clock.sleep(random.next() * latencyMs);
    life.throwIfAborted();
    if (random.chance(lostAnswers)) {
      trace(`${name}  ${what}  answer lost`);
      throw new Error(`${what}: connection reset`);
    }
    if ("error" in answer) throw answer.error;
    return answer.value;
  };
  const key = (kind: AnyKind, namespace: string | undefined, object: string | undefined): string => `${kind.plural} ${namespace ?? ""}/${object ?? ""}`;
  return {
    get: (kind, namespace, object) => call(`get ${key(kind, namespace, object)}`, client => client.get(kind, namespace, object)),
    list: (kind, list) => call(`list ${kind.plural}`, client => client.list(kind, list)),
    create: (kind, object, write) => call(`create ${kind.plural} ${nameOf(object)}`, client => client.create(kind, object, write)),
    update: (kind, object, write) => call(`update ${key(kind, object.metadata.namespace, object.metadata.name)} ${write?.subresource ?? ""}`, client => client.update(kind, object, write)),
    updateStatus: (kind, object, write) => call(`status ${key(kind, object.metadata.namespace, object.metadata.name)}`, client => client.updateStatus(kind, object, write)),
    patch: (kind, namespace, object, patch, write) => call(`patch ${key(kind, namespace, object)}`, client => client.patch(kind, namespace, object, patch, write)),
    delete: (kind, namespace, object, del) => call(`delete ${key(kind, namespace, object)}`, client => client.delete(kind, namespace, object, del)),
    createSubresource: (kind, namespace, object, subresource, body) => call(`post ${key(kind, namespace, object)}/${subresource}`, client => client.createSubresource(kind, namespace, object, subresource, body)),
    request: (method, target, body) => call(`${method} ${target}`, client => client.request(method, target, body)),
    async *watch(kind, watch, signal) {
      const { latencyMs } = faults();
      await clock.sleep(random.next() * latencyMs);
      life.throwIfAborted();
      const { client, life: serverLife } = server();
      const broken = new AbortController();
      const stop = (): void => broken.abort();
      for (const each of [signal, life, serverLife]) each.addEventListener("abort", stop, { once: true });
      if (signal.aborted || life.aborted || serverLife.aborted) stop();
      try {
        for await (const event of client.watch(kind, watch, broken.signal)) {
          const { watchLagMs, watchDrops } = faults();
          if (watchLagMs > 0) await clock.sleep(random.next() * watchLagMs);
          if (broken.signal.aborted) break;
          if (random.chance(watchDrops)) {
            trace(`${name}  watch ${kind.plural}  dropped`);
            throw new Error("watch closed");
          }
          for (const each of options.tamper?.(event as WatchEvent<Resource<AnyKind>>) ?? [event]) yield each as typeof event;
        }
      } finally {
        for (const each of [signal, life, serverLife]) each.removeEventListener("abort", stop);
        stop();
      }
      if (serverLife.aborted) throw new Error("watch: connection reset");
    },
  };
}

function nameOf(object: unknown): string {
  const { namespace = "", name, generateName = "" } = (object as { readonly metadata?: { readonly namespace?: string; readonly name?: string; readonly generateName?: string } }).metadata ?? {};
  return `${namespace}/${name ?? `${generateName}?`}`;
}
/** What a dying server is still doing, nobody hears of. */
function unlessDead<T>(answer: Promise<T>, life: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const dead = (): void => reject(new Error("connection reset by a dying server"));
    if (life.aborted) return dead();
    life.addEventListener("abort", dead, { once: true });
    answer.then(resolve, reject).finally(() => life.removeEventListener("abort", dead));
  });
}
