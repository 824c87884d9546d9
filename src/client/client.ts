import type { Json } from "../base/json.ts";
import type { AnyKind, New, Resource } from "../kinds/kind.ts";

/**
 * What every component holds: the same interface in process (no HTTP, no JSON), over HTTPS, and in the simulator.
 * Objects that come back are shared and frozen: never mutate them. Failures are `ApiError`s; anything else means that
 * the answer is unknown (the write may have happened).
 */
export interface Client {
  get<K extends AnyKind>(kind: K, namespace: string, name: string): Promise<Resource<K>>;
  list<K extends AnyKind>(kind: K, options?: ListOptions): Promise<ObjectList<Resource<K>>>;
  create<K extends AnyKind>(kind: K, object: New<K>, options?: WriteOptions): Promise<Resource<K>>;
  /** Replaces spec and metadata; refused with `Conflict` if `metadata.resourceVersion` is no longer current. */
  update<K extends AnyKind>(kind: K, object: Resource<K>, options?: WriteOptions): Promise<Resource<K>>;
  updateStatus<K extends AnyKind>(kind: K, object: Resource<K>, options?: WriteOptions): Promise<Resource<K>>;
  patch<K extends AnyKind>(kind: K, namespace: string, name: string, patch: Patch, options?: WriteOptions): Promise<Resource<K>>;
  delete<K extends AnyKind>(kind: K, namespace: string, name: string, options?: DeleteOptions): Promise<void>;
  /** POST to a subresource: `binding`, `eviction`, `token`. */
  createSubresource(kind: AnyKind, namespace: string, name: string, subresource: string, body: Json): Promise<Json>;
  /**
   * Any other path of the API, as JSON: `/apis/metrics.k8s.io/v1beta1/nodes`, `…/deployments/web/scale`. For what no kind of ours stands for;
   * other API servers behind ours answer too.
   */
  request(method: "GET" | "PUT", target: string, body?: Json): Promise<Json>;
  /** Every change after `revision`, in order, until `signal` aborts. Throws `ApiError` Expired when `revision` is too old. */
  watch<K extends AnyKind>(kind: K, options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchEvent<Resource<K>>>;
}

export type Selection = { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string };
export type ListOptions = Selection & { readonly limit?: number; readonly continue?: string };
/** `resourceVersion`: of other servers' objects, which only that server understands; `revision` then counts what this client has read. */
export type ObjectList<T> = { readonly items: readonly T[]; readonly revision: number; readonly resourceVersion?: string; readonly continue?: string };
export type WatchOptions = Selection & { readonly revision: number; readonly resourceVersion?: string | undefined };
/** A bookmark says only that everything up to `revision` was delivered. */
export type WatchEvent<T> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: T; readonly revision: number; readonly resourceVersion?: string }
  | { readonly type: "BOOKMARK"; readonly revision: number; readonly resourceVersion?: string };
export type WriteOptions = { readonly fieldManager?: string; readonly dryRun?: boolean; readonly subresource?: string };
export type Patch =
  | { readonly type: "merge" | "strategic"; readonly body: Json }
  | { readonly type: "json"; readonly body: readonly Json[] }
  | { readonly type: "apply"; readonly body: Json; readonly force: boolean };
export type DeleteOptions = {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
};
