/** Get and list, with the resource version rules of upstream's API concepts. */
import { ApiError } from "../base/api-error.ts";
import type { Entry, Only } from "../store/store.ts";
import { decodeContinue, encodeContinue } from "./continue.ts";
import type { Answer, Call, Core } from "./core.ts";
import { badRequest, expired, notFound, tooLargeResourceVersion } from "./errors.ts";
import { revisionOf, type ListOptions } from "./options.ts";
import { storeKey } from "./registry.ts";
import { selectionOf, type Selection } from "./select.ts";
import { prepareServed } from "./strategy.ts";

/** How long a read waits for a revision that is not there yet (watch cache's blockTimeout). */
const freshWaitMs = 3_000;
/** Entries looked at between two checks of a selective page. */
const scanStep = 1_000;

export type Listed = {
  readonly entries: readonly Entry[];
  /** 0: the objects have no versions. */
  readonly revision: number;
  readonly continue?: string;
  readonly remaining?: number;
};

export async function get(core: Core, call: Call, resourceVersion: string): Promise<Answer> {
  const wanted = revisionOf(resourceVersion);
  if (wanted > core.store.revision) await waitFor(core, wanted, call.limit.signal);
  const { served, namespace, name } = call;
  const entry = core.store.get(storeKey(served.prefix, served.kind.namespaced ? namespace : "", name));
  if (entry === undefined) throw notFound(served, name);
  return { object: core.objects.object(entry), entry };
}

/** Store prefix of what a collection call is about. */
export const scopeOf = ({ served, namespace }: Call): string => (served.kind.namespaced && namespace !== "" ? `${served.prefix}${namespace}/` : served.prefix);

/**
 * What a watch must look at: a prefix or one key, and of that perhaps only what has one value. A change is shown to those alone whom it may concern, as upstream's
 * cache does by namespace, name and each kind's index (cacher.go indexedTrigger), here for every field that can be selected.
 */
export function watchedBy({ objects }: Core, { served, namespace: given }: Call, { name, namespace: selected, exact }: Selection): { readonly scope: string; readonly only?: Only } {
  const { prefix, kind } = served;
  const namespace = given === "" ? selected ?? "" : given;
  if (name !== undefined && (!kind.namespaced || namespace !== "")) return { scope: storeKey(prefix, kind.namespaced ? namespace : "", name) };
  const scope = kind.namespaced && namespace !== "" ? `${prefix}${namespace}/` : prefix;
  // What a webhook must convert says nothing yet.
  if (exact === undefined || (name === undefined && kind.conversion !== undefined)) return { scope };
  return { scope, only: { index: objects.index(exact.get), value: exact.value } };
}

export async function list(core: Core, call: Call, options: ListOptions): Promise<Listed> {
  const { served } = call;
  const scope = scopeOf(call);
  const selection = selectionOf(served.kind, options.labelSelector, options.fieldSelector);
  if (options.continue !== "") {
    const from = decodeContinue(options.continue, scope);
    if (options.resourceVersion !== "" && options.resourceVersion !== "0") throw badRequest("specifying resource version is not allowed when using continue");
    mustBeThere(core, from.revision, 0);
    return page(core, call, scope, selection, options.limit, from.after, from.revision < 0 ? undefined : from.revision);
  }
  const wanted = revisionOf(options.resourceVersion);
  const exact = wanted > 0 && (options.resourceVersionMatch === "Exact" || (options.resourceVersionMatch === "" && options.limit > 0));
  if (options.resourceVersionMatch === "Exact") mustBeThere(core, wanted, 1);
  if (wanted > core.store.revision) await waitFor(core, wanted, call.limit.signal);
  // Quirk: what upstream answers from its cache at any version comes whole (apiserver pkg/storage/cacher).
  const limit = options.resourceVersion === "0" && served.kind.uncached !== true ? 0 : options.limit;
  return page(core, call, scope, selection, limit, undefined, exact ? wanted : undefined);
}

function mustBeThere({ store }: Core, revision: number, retryAfterSeconds: number): void {
  if (revision > store.revision) throw tooLargeResourceVersion(revision, store.revision, retryAfterSeconds);
}

/** `revision` undefined reads the newest state. */
async function page(core: Core, call: Call, scope: string, selection: Selection, limit: number, after: string | undefined, revision: number | undefined): Promise<Listed> {
  const { served, namespace } = call;
  const at = revision ?? core.store.revision;
  const single = after === undefined && revision === undefined && selection.name !== undefined && (!served.kind.namespaced || namespace !== "");
  if (single) {
    const entry = core.store.get(scope + selection.name!);
    if (entry !== undefined) await prepareSelection(core, call, selection, [entry]);
    return { entries: entry !== undefined && selection.matches(core.objects.object(entry)) ? [entry] : [], revision: at };
  }
  const read = (from: string | undefined, count: number) => {
    const range = { ...(from === undefined ? {} : { after: from }), ...(count === 0 ? {} : { limit: count }) };
    if (revision === undefined) return core.store.list(scope, range);
    const answer = core.store.listAt(scope, revision, range);
    if ("compacted" in answer) throw after === undefined ? expired("The resourceVersion for the provided list is too old.") : expiredContinue(after, scope);
    return answer;
  };
  if (selection.all) {
    const { entries, remaining } = read(after, limit);
    if (limit === 0 || remaining === 0 || entries.length === 0) return { entries, revision: at };
    return { entries, revision: at, continue: encodeContinue(entries.at(-1)!.key, scope, at), remaining };
  }
  return selectPage(core, call, selection, limit, after, at, read);
}

type Reading = { readonly entries: readonly Entry[]; readonly remaining: number };

/** Fields are those of the version in the URL: where a webhook converts, it is asked before anything is selected by them. */
async function prepareSelection(core: Core, { served }: Call, { fields }: Selection, entries: readonly Entry[]): Promise<void> {
  if (fields && served.kind.conversion !== undefined) await prepareServed(served, entries.map(entry => core.objects.object(entry)));
}

async function selectPage(core: Core, call: Call, selection: Selection, limit: number, after: string | undefined, at: number, read: (from: string | undefined, count: number) => Reading): Promise<Listed> {
  const found: Entry[] = [];
  let from = after;
  for (;;) {
    const { entries, remaining } = read(from, limit === 0 ? 0 : scanStep);
    await prepareSelection(core, call, selection, entries);
    for (const entry of entries) {
      if (!selection.matches(core.objects.object(entry))) continue;
      if (limit > 0 && found.length === limit) return { entries: found, revision: at, continue: encodeContinue(found.at(-1)!.key, scopeOf(call), at) };
      found.push(entry);
    }
    if (remaining === 0 || entries.length === 0) return { entries: found, revision: at };
    from = entries.at(-1)!.key;
  }
}

/** The answer carries a token with which the client may go on at the newest state, if it accepts an inconsistent list (etcd3/errors.go). */
function expiredContinue(after: string, prefix: string): ApiError {
  const error = expired("The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.");
  return new ExpiredContinue(error, encodeContinue(after, prefix, -1));
}

/** 410 whose Status has `metadata.continue`. */
export class ExpiredContinue extends ApiError {
  readonly token: string;
  constructor(error: ApiError, token: string) {
    super("Expired", error.message);
    this.token = token;
  }
  override status() {
    return { ...(super.status() as { readonly [key: string]: never }), metadata: { continue: this.token } };
  }
}

/** Resolves once the store shows `revision`; upstream's 504 when that takes too long. */
export async function waitFor(core: Core, revision: number, signal: AbortSignal): Promise<void> {
  if (revision <= core.store.revision) return;
  await new Promise<void>((resolve, reject) => {
    const end = (): void => {
      stopTimer();
      if (!("compacted" in watch)) watch.close();
      signal.removeEventListener("abort", end);
      if (core.store.revision >= revision) resolve();
      else reject(tooLargeResourceVersion(revision, core.store.revision));
    };
    const stopTimer = core.clock.after(freshWaitMs, end);
    const watch = core.store.watch("/registry/", core.store.revision, ({ progress }) => {
      if (progress >= revision) queueMicrotask(end);
    });
    signal.addEventListener("abort", end, { once: true });
  });
}
