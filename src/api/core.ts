/** What every verb works with, and what a call is. Verbs sit below HTTP: they take and return objects. */
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { AnyKind } from "../kinds/kind.ts";
import type { Problem } from "../schema/problem.ts";
import type { Entry, Store } from "../store/store.ts";
import type { AdmissionStep } from "./admission/admission.ts";
import type { AdmissionFigures } from "./admission/figures.ts";
import type { Authorizer, Reader, User } from "./context.ts";
import type { Limit } from "./http.ts";
import type { Objects } from "./objects.ts";
import type { Registry, Served } from "./registry.ts";

export type Core = {
  readonly store: Store;
  readonly objects: Objects;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly authorizer: Authorizer;
  readonly reader: Reader;
  readonly admission: readonly AdmissionStep[];
  readonly admissionFigures?: AdmissionFigures;
  readonly hooks: ReadonlyMap<AnyKind, Hooks>;
};

/** One authorised request for a resource. `name` is "" for collections. */
export type Call = {
  readonly served: Served;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  /** As authorizers know it; absent: the server's own doing. */
  readonly verb?: string;
  readonly user: User;
  readonly userAgent: string;
  readonly limit: Limit;
  /** Adds a `Warning` header to the answer. */
  warn(text: string): void;
  /** Adds an annotation to the audit event. */
  readonly annotate?: (key: string, value: string) => void;
  readonly trail?: Trail | undefined;
};
/**
 * `elsewhereMs`: time of a request that was spent waiting for others than the server itself. `asked`: told what was asked for once it is understood, before
 * anything changes it; "body": what was sent, as it stands.
 */
export type Trail = { elsewhereMs?: number; asked?: (object: Json | "body") => void };

/** What a verb answers: the object, and the stored entry behind it unless it was a dry run or computed. */
export type Answer = { readonly object: any; readonly entry?: Entry; readonly created?: boolean };

/** What a kind's storage does besides storing: allocations that must agree with what is stored. */
export type Hooks = {
  /** Before validation: what the server fills in or takes over from the stored object. Changes `next`. */
  prepare?(next: any, previous: any | undefined): void;
  /** What else is wrong, where that takes loading CEL: told beside the kind's own rules. `undefined`: there is nothing to look at. `writer`: name of the user. */
  problems?(next: any, previous: any | undefined, context: { readonly subresource: string; readonly writer: string }): Promise<readonly Problem[]> | undefined;
  /** Advice besides the kind's own (`Kind.warnings`). */
  warnings?(next: any, previous: any | undefined): Iterable<string>;
  /** May fill in fields of `next` and reserve what they name; `commit` once stored, `rollback` when not. Throws an `ApiError` to refuse. */
  reserve?(next: any, previous: any | undefined, dryRun: boolean): Reservation;
  /** Besides finalizers in metadata, does something keep the object from being removed? */
  holds?(object: any): boolean;
  /** The first delete of the object is about to be judged: finalizers that the server itself wants can be added to this private copy. */
  onDelete?(object: any): void;
  /** A delete marks the object, which stays for now: what else changes in this private copy? */
  markDeleted?(object: any, previous: any): void;
  /** Seconds a delete leaves the object to end by itself; absent for kinds that are not deleted gracefully. */
  gracePeriod?(object: any, asked: number | undefined): number;
  /** What a write through this subresource may change: puts everything else in `next` back to what `previous` has. True if it did. */
  limit?(subresource: string, next: any, previous: any): boolean;
  /** The object is gone. */
  released?(object: any): void;
};
export type Reservation = { commit(): void; rollback(): void };

/** A freshly decoded body: private and mutable, in canonical form, unknown fields dropped and defaults not yet applied. */
export type Body = Json;
