/**
 * Bounds for what all objects of a namespace use together (apiserver pkg/admission/plugin/resourcequota). What is used is counted from what is
 * stored, at each write in a namespace with quotas, together with what was just let in and is not stored yet; so no two writes can both take the last place.
 * `status.used` is the controller's.
 */
import { addQuantities, compareQuantities, formatQuantity, subtractQuantities, type Quantity } from "../../base/quantity.ts";
import { isExtendedQuota, type Around } from "../../kinds/resource/devicequota.ts";
import { amountsOf, countsFor, isInScope, isTerminating, sumOf, usageOf, type Resource, type Usage } from "../../kinds/core/quotausage.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";
import { refuse } from "./namespace-lifecycle.ts";

/** A write that was let in. It counts until it is stored, or for this long if it never is. */
type Pending = { readonly resource: Resource; readonly name: string; readonly uid: string; readonly object: any; readonly until: number };
const pendingMs = 10_000;
const mustSpecify: readonly string[] = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];
/** Of pods an update counts when it changes their scope; of these kinds always. Writes of a status are never refused: they say what is. */
const growing: ReadonlySet<string> = new Set(["services", "persistentvolumeclaims", "resourceclaims.resource.k8s.io"]);
/** Pods' requests and claims may be bounded by the same name. */
const sharing: readonly Resource[] = [{ group: "", plural: "pods" }, { group: "resource.k8s.io", plural: "resourceclaims" }];

export function resourceQuota(): AdmissionStep {
  const pending = new Map<string, Pending[]>();
  return {
    name: "ResourceQuota",
    validate(request) {
      const { kind, namespace, operation, object, previous, read, now, dryRun } = request;
      if (!kind.namespaced || kind.virtual === true || !isCounted(request)) return;
      const resource: Resource = { group: kind.group, plural: kind.plural };
      const around: Around = (group, plural) => read.list(group, plural, plural === "deviceclasses" ? "" : namespace);
      const quotas = read.list("", "resourcequotas", namespace).filter(quota => countsFor(quota, resource, around).length > 0 && isInScope(quota, resource, object));
      if (quotas.length === 0) return;
      const usage = usageOf(resource, object, now, around);
      const before = operation === "UPDATE" ? usageOf(resource, previous, now, around) : new Map<string, Quantity>();
      const waiting = stillPending(pending.get(namespace) ?? [], request);
      // What must be said is asked by every quota before any of them counts.
      if (kind.plural === "pods" && kind.group === "") for (const quota of quotas) checkSpecified(request, quota, countsFor(quota, resource, around));
      for (const quota of quotas) {
        const was = operation === "UPDATE" && isInScope(quota, resource, previous) ? before : new Map<string, Quantity>();
        const wanted = new Map(Object.keys(quota.spec.hard).flatMap(name => more(name, usage, was)));
        if (wanted.size === 0) continue;
        const used = sumOf([...wanted.keys()], usagesIn(request, quota, [...wanted.keys()].some(isExtendedQuota) ? sharing : [resource], waiting, around));
        const over = [...wanted.keys()].filter(name => compareQuantities(addQuantities(used.get(name)!, wanted.get(name)!), quota.spec.hard[name]) > 0);
        if (over.length > 0) throw refuse(request, `exceeded quota: ${quota.metadata.name}, requested: ${text(wanted, over)}, used: ${text(used, over)}, limited: ${over.sort().map(name => `${name}=${quota.spec.hard[name]}`).join(",")}`);
      }
      if (!dryRun) pending.set(namespace, [...waiting, { resource, name: object.metadata.name, uid: object.metadata.uid, object, until: now + pendingMs }]);
      else if (waiting.length === 0) pending.delete(namespace);
      for (const [other, list] of pending) if (list.every(({ until }) => until <= now)) pending.delete(other);
    },
  };
}

function isCounted({ kind: { group, plural }, operation, subresource, object, previous }: AdmissionRequest): boolean {
  if (object === undefined) return false;
  if (operation === "CREATE") return subresource === "";
  if (operation !== "UPDATE") return false;
  if (group === "" && plural === "pods") return subresource === "resize" || (subresource === "" && isTerminating(object) !== isTerminating(previous));
  return subresource === "" && growing.has(group === "" ? plural : `${plural}.${group}`);
}

/** What the write uses on top of what its object used before. */
function more(name: string, usage: Usage, before: Usage): [string, Quantity][] {
  const wanted = usage.get(name);
  if (wanted === undefined) return [];
  const known = before.get(name);
  const difference = known === undefined ? wanted : subtractQuantities(wanted, known);
  return compareQuantities(difference, "0") > 0 ? [[name, difference]] : [];
}

function* usagesIn({ read, namespace, now }: AdmissionRequest, quota: any, resources: readonly Resource[], waiting: readonly Pending[], around: Around): Iterable<Usage> {
  for (const resource of resources) {
    const { group, plural } = resource;
    for (const object of read.list(group, plural, namespace)) if (isInScope(quota, resource, object)) yield usageOf(resource, object, now, around);
    for (const { resource: of, object } of waiting) if (of.group === group && of.plural === plural && isInScope(quota, resource, object)) yield usageOf(resource, object, now, around);
  }
}

/** Without what is stored by now, was refused after all (another object has its name), or took too long. */
function stillPending(list: readonly Pending[], { read, namespace, now }: AdmissionRequest): Pending[] {
  return list.filter(({ resource, name, until }) => until > now && read.get(resource.group, resource.plural, namespace, name) === undefined);
}

/** Under a quota of cpu or memory every container has to say what it asks for, or the pod as a whole something. */
function checkSpecified(request: AdmissionRequest, quota: any, names: readonly string[]): void {
  const { spec } = request.object;
  if (["requests", "limits"].some(list => Object.keys(spec.resources?.[list] ?? {}).length > 0)) return;
  const missing = new Map<string, string[]>();
  for (const name of names.filter(name => mustSpecify.includes(name))) {
    const [list, resource] = name.startsWith("limits.") ? ["limits", name.slice(7)] : ["requests", name.replace("requests.", "")];
    const silent = [...spec.containers, ...(spec.initContainers ?? [])].filter(({ resources }: any) => resources?.[list!]?.[resource!] === undefined).map(container => container.name);
    if (silent.length > 0) missing.set(name, silent.sort());
  }
  if (missing.size > 0) throw refuse(request, `failed quota: ${quota.metadata.name}: must specify ${[...missing].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, containers]) => `${name} for: ${containers.join(",")}`).join("; ")}`);
}

function text(usage: Usage, names: readonly string[]): string {
  const amounts = amountsOf(usage);
  return [...names].sort().map(name => `${name}=${amounts[name] ?? formatQuantity(usage.get(name)!)}`).join(",");
}
