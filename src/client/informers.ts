import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { supervise } from "../base/supervise.ts";
import type { AnyKind } from "../kinds/kind.ts";
import type { Client } from "./client.ts";
import { Informer } from "./informer.ts";

const restartWaitMaxMs = 5_000;

/** The local copies that all components of one process share: one list and one watch for each kind, however many look at it. */
export class Informers {
  readonly #client: Client;
  readonly #options: { readonly clock: Clock; readonly log: Log };
  readonly #signal: AbortSignal;
  readonly #running = new Map<string, { readonly informer: Informer<AnyKind>; readonly stop: () => void }>();

  /** Copies live until `signal` aborts. */
  constructor(client: Client, options: { readonly clock: Clock; readonly log: Log }, signal: AbortSignal) {
    this.#client = client;
    this.#options = options;
    this.#signal = signal;
  }
  /** The copy of `kind`, started when first asked for. */
  of<K extends AnyKind>(kind: K): Informer<K> {
    const key = keyOf(kind);
    const known = this.#running.get(key);
    if (known !== undefined) return known.informer as Informer<K>;
    const informer = new Informer(kind, this.#client);
    const life = new AbortController();
    const stop = (): void => {
      life.abort();
      this.#signal.removeEventListener("abort", stop);
      this.#running.delete(key);
    };
    this.#signal.addEventListener("abort", stop, { once: true });
    this.#running.set(key, { informer, stop });
    void supervise(informer, { ...this.#options, maxWaitMs: restartWaitMaxMs }, life.signal);
    return informer;
  }
  /** Forgets a kind that is no longer served. */
  drop(kind: AnyKind): void {
    this.#running.get(keyOf(kind))?.stop();
  }
}

/** What is stored here is one thing in all its versions. */
const keyOf = ({ group, plural, version, remote }: AnyKind): string => `${group}/${plural}${remote === true ? `/${version}` : ""}`;
