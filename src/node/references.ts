/** The ConfigMaps, Secrets and Services that pods of this node refer to. */
import { isApiError } from "../base/api-error.ts";
import { must } from "../base/assert.ts";
import { decodeBase64 } from "../base/base64.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { supervise } from "../base/supervise.ts";
import type { Client } from "../client/client.ts";
import { Informer, joinKey } from "../client/informer.ts";
import { ConfigMap } from "../kinds/core/configmap.ts";
import { Secret } from "../kinds/core/secret.ts";
import type { AnyKind, Resource } from "../kinds/kind.ts";

export interface References {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  /** Whoever uses an object says so, and hears of its changes until told otherwise. */
  use(user: string, kind: "configMap" | "secret", namespace: string, name: string): void;
  release(user: string): void;
}

type Options = { readonly client: Client; readonly clock: Clock; readonly log: Log; readonly onChange: (users: readonly string[]) => void };
type Watched = { readonly informer: Informer<AnyKind>; readonly users: Set<string>; readonly stop: () => void };

/** More objects in use than any node's pods have: one watch each. */
const watchedMax = 10_000;

/** Bytes of a Secret or of `binaryData`; what is not base64 cannot have been stored. */
export function bytesOf(base64: string): Uint8Array {
  return must(decodeBase64(base64), "stored binary data is base64");
}

/** One watch for each object in use (upstream's "Watch" change detection); others are fetched when asked for. */
export class WatchedReferences implements References {
  readonly #options: Options;
  readonly #signal: AbortSignal;
  readonly #watched = new Map<string, Watched>();
  constructor(options: Options, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    return this.#find(ConfigMap, "configMap", namespace, name);
  }
  secret(namespace: string, name: string): Promise<Secret | undefined> {
    return this.#find(Secret, "secret", namespace, name);
  }

  use(user: string, kind: "configMap" | "secret", namespace: string, name: string): void {
    const key = `${kind}/${namespace}/${name}`;
    const known = this.#watched.get(key);
    if (known) known.users.add(user);
    else if (this.#watched.size < watchedMax) this.#watch(key, user, kind === "secret" ? Secret : ConfigMap, namespace, name);
  }
  release(user: string): void {
    for (const [key, { users, stop }] of this.#watched) {
      if (!users.delete(user) || users.size > 0) continue;
      stop();
      this.#watched.delete(key);
    }
  }

  #watch(key: string, user: string, kind: AnyKind, namespace: string, name: string): void {
    const informer = new Informer(kind, this.#options.client, { namespace, fieldSelector: `metadata.name=${name}` });
    const users = new Set([user]);
    const life = new AbortController();
    const stop = (): void => {
      life.abort();
      this.#signal.removeEventListener("abort", stop);
    };
    this.#signal.addEventListener("abort", stop, { once: true });
    let listed = false;
    // The first list tells nobody anything new: they asked for it.
    informer.onChange(() => { if (listed) this.#options.onChange([...users]); });
    void informer.listed(life.signal).then(() => { listed = true; });
    this.#watched.set(key, { informer, users, stop });
    void supervise(informer, { clock: this.#options.clock, log: this.#options.log, maxWaitMs: 5_000 }, life.signal);
  }

  async #find<K extends AnyKind>(kind: K, word: string, namespace: string, name: string): Promise<Resource<K> | undefined> {
    const found = this.#watched.get(`${word}/${namespace}/${name}`)?.informer.get(joinKey(namespace, name));
    if (found) return found as Resource<K>;
    try {
      return await this.#options.client.get(kind, namespace, name);
    } catch (error) {
      if (isApiError(error, "NotFound")) return undefined;
      throw error;
    }
  }
}
