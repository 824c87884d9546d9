/** The admission pipeline: every write, whatever its verb or path, passes these steps in order: all that mutate, then all that validate. */
import type { AnyKind } from "../../kinds/kind.ts";
import type { Reader, User } from "../context.ts";
import type { Trail } from "../core.ts";
import type { DeleteOptions, WriteOptions } from "../options.ts";
import type { Served } from "../registry.ts";

export type Operation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

/** One write on its way to the store. */
export type AdmissionRequest = {
  readonly operation: Operation;
  /** `update` or `patch` and the like, as authorizers know it, where it came as a request. */
  readonly verb?: string;
  /** The kind in the URL (for subresources: the parent's). */
  readonly kind: AnyKind;
  /** The version in the URL, where it is known. */
  readonly served?: Served;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: User;
  readonly dryRun: boolean;
  /** What else the request asked for; absent on CONNECT. */
  readonly options?: WriteOptions | DeleteOptions;
  /** The new object: a private, mutable copy during `mutate`. For a subresource such as binding or eviction, its body. `undefined` on DELETE. */
  readonly object: any;
  /** What is stored now, frozen; `undefined` on CREATE. */
  readonly previous: any;
  readonly now: number;
  readonly read: Reader;
  /** Adds a `Warning` header to the answer. */
  warn(text: string): void;
  /** Adds an annotation to the audit event, where there is one. */
  annotate?(key: string, value: string): void;
  /** Takes note of the time spent asking others. */
  readonly trail?: Trail | undefined;
};

/** Refuses by throwing an `ApiError` (see `forbidden`). Answers a promise only when there is something to wait for: every write passes every step. */
export type AdmissionStep = {
  readonly name: string;
  /** Not one of upstream's plugins: what it does is done elsewhere there, and nobody looks for its figures. */
  readonly isOurs?: true;
  mutate?(request: AdmissionRequest): void | Promise<void>;
  validate?(request: AdmissionRequest): void | Promise<void>;
};
