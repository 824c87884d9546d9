/**
 * Bounds for what all objects of a namespace use together (apiserver pkg/admission/plugin/resourcequota). What is used is counted from what is
 * stored, at each write in a namespace with quotas, together with what was just let in and is not stored yet; so no two writes can both take the last place.
 * `status.used` is the controller's.
 */
import { addQuantities, compareQuantities, formatQuantity, subtractQuantities, type Quantity } from "../../base/quantity.ts";
import { amountsOf, countsFor, isInScope, sumOf, usageOf, type Resource, type Usage } from "../../kinds/core/quotausage.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";
import { refuse } from "./namespace-lifecycle.ts";

/** A write that was let in. It counts until it is stored, or for this long if it never is. */
type Pending = { readonly resource: Resource; readonly name: string; readonly uid: string; readonly object: any; readonly until: number };
const pendingMs = 10_000;
const mustSpecify: readonly string[] = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];
/** Kinds of which an update can use more. */
const growing: ReadonlySet<string> = new Set(["pods", "services", "persistentvolumeclaims"]);

export function resourceQuota(): AdmissionStep {
  const pending = new Map<string, Pending[]>();
  return {
    name: "ResourceQuota",
    validate(request) {
      const { kind, namespace, operation, subresource, object, previous, read, now, dryRun } = request;
      if (!kind.namespaced || kind.virtual === true || !isCounted(request)) return;
      const resource: Resource = { group: kind.group, plural: kind.plural };
      const quotas = read.list("", "resourcequotas", namespace).filter(quota => countsFor(quota, resource).length > 0 && isInScope(quota, resource, object));
      if (quotas.length === 0) return;
      const usage = usageOf(resource, object, now);
      const before = operation === "UPDATE" ? usageOf(resource, previous, now) : new Map<string, Quantity>();
      const waiting = stillPending(pending.get(namespace) ?? [], request);
      for (const quota of quotas) {
        const names = countsFor(quota, resource);
        if (kind.plural === "pods" && kind.group === "" && subresource === "") checkSpecified(request, quota, names);
        const was = operation === "UPDATE" && isInScope(quota, resource, previous) ? before : new Map<string, Quantity>();
        const wanted = new Map(names.flatMap(name => more(name, usage, was)));
        if (wanted.size === 0) continue;
        const used = sumOf([...wanted.keys()], usagesIn(request, quota, resource, waiting));
        const over = [...wanted.keys()].filter(name => compareQuantities(addQuantities(used.get(name)!, wanted.get(name)!), quota.spec.hard[name]) > 0);
        if (over.length > 0) throw refuse(request, `exceeded quota: ${quota.metadata.name}, requested: ${text(wanted, over)}, used: ${text(used, over)}, limited: ${over.sort().map(name => `${name}=${quota.spec.hard[name]}`).join(",")}`);
      }
      if (!dryRun) pending.set(namespace, [...waiting, { resource, name: object.metadata.name, uid: object.metadata.uid, object, until: now + pendingMs }]);
      else if (waiting.length === 0) pending.delete(namespace);
      for (const [other, list] of pending) if (list.every(({ until }) => until <= now)) pending.delete(other);
    },
  };
}

function isCounted({ kind, operation, subresource, object }: AdmissionRequest): boolean {
  if (object === undefined) return false;
  if (operation === "CREATE") return subresource === "";
  return operation === "UPDATE" && kind.group === "" && growing.has(kind.plural) && (kind.plural === "pods" ? subresource === "resize" : subresource === "" || (kind.plural === "persistentvolumeclaims" && subresource === "status"));
}

/** What the write uses on top of what its object used before. */
function more(name: string, usage: Usage, before: Usage): [string, Quantity][] {
  const wanted = usage.get(name);
  if (wanted === undefined) return [];
  const known = before.get(name);
  const difference = known === undefined ? wanted : subtractQuantities(wanted, known);
  return compareQuantities(difference, "0") > 0 ? [[name, difference]] : [];
}

function* usagesIn({ read, namespace, now }: AdmissionRequest, quota: any, resource: Resource, waiting: readonly Pending[]): Iterable<Usage> {
  const stored = read.list(resource.group, resource.plural, namespace);
  for (const object of stored) if (isInScope(quota, resource, object)) yield usageOf(resource, object, now);
  for (const { resource: of, object } of waiting)
    if (of.group === resource.group && of.plural === resource.plural && isInScope(quota, resource, object)) yield usageOf(resource, object, now);
}

/** Without what is stored by now, was refused after all (another object has its name), or took too long. */
function stillPending(list: readonly Pending[], { read, namespace, now }: AdmissionRequest): Pending[] {
  return list.filter(({ resource, name, until }) => until > now && read.get(resource.group, resource.plural, namespace, name) === undefined);
}

/** Under a quota of cpu or memory every container has to say what it asks for. */
function checkSpecified(request: AdmissionRequest, quota: any, names: readonly string[]): void {
  const { spec } = request.object;
  const missing = new Map<string, string[]>();
  for (const name of names.filter(name => mustSpecify.includes(name))) {
    const [list, resource] = name.startsWith("limits.") ? ["limits", name.slice(7)] : ["requests", name.replace("requests.", "")];
    if (spec.resources?.[list!]?.[resource!] !== undefined) continue;
    const silent = [...spec.containers, ...(spec.initContainers ?? [])].filter(({ resources }: any) => resources?.[list!]?.[resource!] === undefined).map(container => container.name);
    if (silent.length > 0) missing.set(name, silent.sort());
  }
  if (missing.size > 0) throw refuse(request, `failed quota: ${quota.metadata.name}: must specify ${[...missing].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, containers]) => `${name} for: ${containers.join(",")}`).join("; ")}`);
}

function text(usage: Usage, names: readonly string[]): string {
  const amounts = amountsOf(usage);
  return [...names].sort().map(name => `${name}=${amounts[name] ?? formatQuantity(usage.get(name)!)}`).join(",");
}
