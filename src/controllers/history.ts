/** ControllerRevisions: what a StatefulSet's or DaemonSet's template was (upstream pkg/controller/history). */
import { stringifyJson } from "../base/json-codec.ts";
import { isApiError } from "../base/api-error.ts";
import { isObject, sameJson, type Json } from "../base/json.ts";
import { selectorOf, type LabelSelector } from "../base/selector.ts";
import { ControllerRevision } from "../kinds/apps/controllerrevision.ts";
import type { AnyKind, New, Resource } from "../kinds/kind.ts";
import { jsonOf, type Context } from "./controller.ts";
import { candidatesOf, claim, controllerRef, planClaim } from "./ownership.ts";
import { safeEncode } from "./pod-template-hash.ts";

type Owner = Resource<AnyKind>;

/** Everything that is kept of a template: a strategic patch that puts it back as a whole. */
export function templatePatch(template: unknown): Json {
  const { metadata, ...rest } = template as { readonly metadata?: { readonly [name: string]: Json } };
  const { creationTimestamp: _, ...kept } = metadata ?? {};
  return inOrder({ spec: { template: { $patch: "replace", metadata: kept, ...jsonOf(rest) as object } } });
}
/** Keys as Go writes those of a map: clients compare what is stored byte by byte (upstream daemon.Match). */
function inOrder(value: Json): Json {
  if (Array.isArray(value)) return value.map(item => inOrder(item as Json));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, inOrder(item)]));
}
export function templateIn(revision: ControllerRevision): unknown {
  const { spec } = revision.data as unknown as { readonly spec: { readonly template: { readonly [name: string]: Json } } };
  const { $patch: _, ...template } = spec.template;
  return template;
}

/** The revisions that `owner` manages, oldest first. */
export async function revisionsOf(context: Context, kind: AnyKind, owner: Owner, selector: LabelSelector): Promise<ControllerRevision[]> {
  const mine = await claim(context, kind, owner, ControllerRevision, planClaim(owner, selectorOf(selector), candidatesOf(context, ControllerRevision, owner)));
  return mine.sort(byRevision);
}
export function byRevision(a: ControllerRevision, b: ControllerRevision): number {
  return a.revision - b.revision || (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : a.metadata.creationTimestamp > b.metadata.creationTimestamp ? 1 : 0) || (a.metadata.name < b.metadata.name ? -1 : 1);
}

export type Snapshot = { readonly owner: Owner; readonly kind: AnyKind; readonly template: unknown; readonly labels: { readonly [name: string]: string }; readonly hashOf: (data: Json, collisions: number | undefined) => string; readonly hashLabel: string; readonly collisions: number | undefined };

/** The revision of the owner's present template: the newest one, an old one made newest again (a rollback), or a new one. `collided` is the new count if its name is taken. */
export async function currentRevision(context: Context, revisions: readonly ControllerRevision[], snapshot: Snapshot): Promise<{ readonly revision: ControllerRevision } | { readonly collided: number }> {
  const { owner, kind, template, labels, hashOf, hashLabel, collisions } = snapshot;
  const data = templatePatch(template);
  const number = (revisions.at(-1)?.revision ?? 0) + 1;
  const equal = revisions.filter(revision => sameJson(revision.data, data)).at(-1);
  if (equal !== undefined) return { revision: equal === revisions.at(-1) ? equal : await context.update(ControllerRevision, { ...equal, revision: number }) };
  const hash = hashOf(data, collisions);
  const { name: ownerName, namespace = "", annotations } = owner.metadata;
  const name = `${ownerName.slice(0, 223)}-${hash}`;
  try {
    const made = { metadata: { name, namespace, labels: { ...labels, [hashLabel]: hash }, ownerReferences: [controllerRef(kind, owner)], ...(annotations === undefined ? {} : { annotations }) }, data, revision: number };
    return { revision: await context.create(ControllerRevision, made as New<typeof ControllerRevision>) };
  } catch (error) {
    if (!isApiError(error, "AlreadyExists")) throw error;
    const there = await context.live(ControllerRevision, namespace, name);
    if (there !== undefined && sameJson(there.data, data)) return { revision: there };
    return { collided: (collisions ?? 0) + 1 };
  }
}

/** Removes the oldest revisions that nothing uses beyond `limit`. */
export async function truncateHistory(context: Context, revisions: readonly ControllerRevision[], inUse: ReadonlySet<string>, limit: number): Promise<void> {
  const unused = revisions.filter(revision => !inUse.has(revision.metadata.name));
  for (const revision of unused.slice(0, Math.max(0, unused.length - limit))) await context.delete(ControllerRevision, revision);
}

/** Upstream's HashControllerRevision: FNV-1 over the patch as Go writes it, keys in order. */
export function revisionHash(data: Json, collisions: number | undefined): string {
  const text = canonical(data) + (collisions === undefined ? "" : String(collisions));
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash, 0x01000193) ^ byte;
  return safeEncode(String(hash >>> 0));
}
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(item => canonical(item as Json)).join(",")}]`;
  if (typeof value !== "object" || value === null) return stringifyJson(value).replace(/[<>&\u2028\u2029]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `{${Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => `${JSON.stringify(key)}:${canonical(item as Json)}`).join(",")}}`;
}
