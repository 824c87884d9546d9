/** What an object uses of a ResourceQuota, and which quotas it falls under: the same for admission and for the controller (upstream: pkg/quota/v1/evaluator/core, apiserver pkg/quota/v1/generic). */
import { addQuantities, compareQuantities, formatQuantity, parseQuantity, quantityOf, quantitySign, quantityValue, type Quantity } from "../../base/quantity.ts";
import { msOf } from "../../base/time.ts";
import { addDevices, boundsClaims, isCountedRequest, isExtendedQuota, type Around } from "../resource/devicequota.ts";
import { qosClassOf } from "./podqos.ts";

export type Resource = { readonly group: string; readonly plural: string };
export type Usage = ReadonlyMap<string, Quantity>;
type Amounts = { readonly [resource: string]: string };

const one = parseQuantity("1");
/** Counted under their bare names too, as in the first quotas. */
const plainCounts: ReadonlySet<string> = new Set(["pods", "services", "replicationcontrollers", "resourcequotas", "secrets", "configmaps", "persistentvolumeclaims"]);
const standard: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);
const classSuffix = ".storageclass.storage.k8s.io/";

const isClaims = ({ group, plural }: Resource): boolean => group === "resource.k8s.io" && plural === "resourceclaims";

/** Everything of this object that a quota may bound. */
export function usageOf({ group, plural }: Resource, object: any, now: number, around: Around): Usage {
  const usage = new Map<string, Quantity>([[`count/${plural}${group === "" ? "" : `.${group}`}`, one]]);
  if (isClaims({ group, plural })) addDevices(usage, object, around, pod => usageOf({ group: "", plural: "pods" }, pod, now, around));
  if (group !== "") return usage;
  if (plural === "pods") addPod(usage, object, now);
  else if (plainCounts.has(plural)) usage.set(plural, one);
  if (plural === "services") addService(usage, object.spec);
  if (plural === "persistentvolumeclaims") addClaim(usage, object);
  return usage;
}

function addPod(usage: Map<string, Quantity>, pod: any, now: number): void {
  if (isOver(pod, now)) return;
  usage.set("pods", one);
  const put = (name: string, amount: Quantity): void => void usage.set(name, amount);
  for (const [name, amount] of podTotal(pod, "requests")) {
    const isOwn = standard.has(name) || name.startsWith("hugepages-");
    if (isOwn) put(name, amount);
    if (isOwn || isCountedRequest(name)) put(`requests.${name}`, amount);
  }
  for (const [name, amount] of podTotal(pod, "limits")) if (standard.has(name)) put(`limits.${name}`, amount);
}

/** A pod that has ended, or should have by now, uses nothing but its own place in the store. */
function isOver({ status, metadata }: any, now: number): boolean {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return true;
  const deleted = msOf(metadata.deletionTimestamp);
  return deleted !== undefined && metadata.deletionGracePeriodSeconds !== undefined && now > deleted + metadata.deletionGracePeriodSeconds * 1000;
}

function addService(usage: Map<string, Quantity>, { type, ports = [], allocateLoadBalancerNodePorts }: any): void {
  const count = ports.length;
  const balanced = type === "LoadBalancer";
  if (balanced) usage.set("services.loadbalancers", one);
  const nodePorts = type === "NodePort" || (balanced && allocateLoadBalancerNodePorts !== false) ? count : balanced ? ports.filter((port: any) => (port.nodePort ?? 0) !== 0).length : 0;
  if (type === "NodePort" || balanced) usage.set("services.nodeports", parseQuantity(String(nodePorts)));
}

function addClaim(usage: Map<string, Quantity>, { metadata, spec, status }: any): void {
  const name: string = metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec.storageClassName ?? "";
  const asked: string | undefined = spec.resources?.requests?.storage;
  const given: string | undefined = status?.allocatedResources?.storage;
  // A volume that was to grow further than is asked for now counts with what it was to have.
  const storage = asked === undefined ? undefined : wholeBytes(given !== undefined && compareQuantities(given, asked) > 0 ? given : asked);
  if (storage !== undefined) usage.set("requests.storage", storage);
  if (name === "") return;
  usage.set(`${name}${classSuffix}persistentvolumeclaims`, one);
  if (storage !== undefined) usage.set(`${name}${classSuffix}requests.storage`, storage);
}
function wholeBytes(text: string): Quantity {
  const quantity = parseQuantity(text);
  return quantity.nanos % 1_000_000_000n === 0n ? quantity : quantityOf(quantityValue(quantity));
}

/** What a pod asks for as a whole: containers and sidecars together, or an init container if it asks for more, and the overhead (component-helpers resource.PodRequests). */
export function podTotal({ spec, status }: any, which: "requests" | "limits"): Usage {
  const given = new Map<string, any>([...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map(each => [each.name, each]));
  const infeasible = (status?.conditions ?? []).find(({ type }: any) => type === "PodResizePending")?.reason === "Infeasible";
  const of = (container: any, lasting = true): Usage => {
    const asked: Amounts = container.resources?.[which] ?? {};
    const { resources, allocatedResources } = (lasting ? given.get(container.name) : undefined) ?? {};
    return resources === undefined ? amounts(asked) : most([...(infeasible ? [] : [asked]), resources[which] ?? {}, ...(which === "requests" ? [allocatedResources ?? {}] : [])]);
  };
  const total = new Map<string, Quantity>();
  const sidecars = new Map<string, Quantity>();
  const starting = new Map<string, Quantity>();
  for (const container of spec.containers ?? []) add(total, of(container));
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === "Always") {
      add(total, of(container));
      add(sidecars, of(container));
      raise(starting, sidecars);
    } else {
      const together = new Map(sidecars);
      add(together, of(container, false));
      raise(starting, together);
    }
  }
  raise(total, starting);
  for (const [name, amount] of amounts(spec.resources?.[which] ?? {})) if (isOfPods(name)) total.set(name, amount);
  const grows = (name: string): boolean => which === "requests" || quantitySign(total.get(name) ?? "0") > 0;
  add(total, [...amounts(spec.overhead ?? {})].filter(([name]) => grows(name)));
  return total;
}
/** What pods as a whole can ask for. */
const isOfPods = (name: string): boolean => name === "cpu" || name === "memory" || name.startsWith("hugepages-");
/** While a pod is being resized it counts with the most of what it wants, was promised and has; what cannot be done does not count. */
function most(lists: readonly Amounts[]): Usage {
  const result = new Map<string, Quantity>();
  for (const list of lists) raise(result, amounts(list));
  return result;
}
const amounts = (list: Amounts): Map<string, Quantity> => new Map(Object.entries(list).map(([name, amount]) => [name, parseQuantity(amount)]));

function add(total: Map<string, Quantity>, more: Iterable<readonly [string, Quantity]>): void {
  for (const [name, amount] of more) {
    const known = total.get(name);
    total.set(name, known === undefined ? amount : addQuantities(known, amount));
  }
}
function raise(total: Map<string, Quantity>, atLeast: Usage): void {
  for (const [name, amount] of atLeast) {
    const known = total.get(name);
    if (known === undefined || compareQuantities(amount, known) > 0) total.set(name, amount);
  }
}

/** Whether the quota's scopes take this object in. Scopes are about pods (one about claims): a scoped quota bounds nothing else. */
export function isInScope(quota: any, { group, plural }: Resource, object: any): boolean {
  const asked: { scopeName: string; operator: string; values?: readonly string[] }[] = [
    ...(quota.spec.scopes ?? []).map((scopeName: string) => ({ scopeName, operator: "Exists" })), ...(quota.spec.scopeSelector?.matchExpressions ?? []),
  ];
  if (asked.length === 0) return true;
  if (group !== "") return false;
  return asked.every(({ scopeName, operator, values = [] }) => {
    if (scopeName === "VolumeAttributesClass") return plural === "persistentvolumeclaims" && attributeClasses(object).some(name => isAmong(name, operator, values));
    if (plural !== "pods") return false;
    if (scopeName === "PriorityClass") return isAmong(object.spec.priorityClassName ?? "", operator, values);
    return podScopes.get(scopeName)?.(object) === true;
  });
}

/** The class that a claim wants, has, and is being given: while it changes it counts under both. */
function attributeClasses({ spec, status }: any): readonly string[] {
  const names = [spec.volumeAttributesClassName, status?.currentVolumeAttributesClassName, status?.modifyVolumeStatus?.targetVolumeAttributesClassName].filter(name => name !== undefined && name !== "");
  return names.length === 0 ? [""] : names;
}

const podScopes: ReadonlyMap<string, (pod: any) => boolean> = new Map<string, (pod: any) => boolean>([
  ["Terminating", pod => isTerminating(pod)], ["NotTerminating", pod => !isTerminating(pod)], ["BestEffort", pod => isBestEffort(pod)], ["NotBestEffort", pod => !isBestEffort(pod)],
  ["CrossNamespacePodAffinity", ({ spec }) => crossesNamespaces(spec)],
]);
export const isTerminating = ({ spec }: any): boolean => (spec.activeDeadlineSeconds ?? -1) >= 0;
const isBestEffort = ({ spec, status }: any): boolean => (status?.qosClass ?? qosClassOf(spec)) === "BestEffort";
function crossesNamespaces({ affinity }: any): boolean {
  const terms = [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap(side => [...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []), ...(side?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((each: any) => each.podAffinityTerm)]);
  return terms.some(term => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined);
}
function isAmong(value: string, operator: string, values: readonly string[]): boolean {
  if (operator === "Exists") return value !== "";
  if (operator === "DoesNotExist") return value === "";
  return operator === "In" ? values.includes(value) : !values.includes(value);
}

/** The resources that a quota counts of objects of one kind: what `usageOf` could name. */
export function countsFor(quota: any, { group, plural }: Resource, around: Around): readonly string[] {
  return Object.keys(quota.spec.hard ?? {}).filter(name => {
    if (name === `count/${plural}${group === "" ? "" : `.${group}`}`) return true;
    if (isClaims({ group, plural })) return boundsClaims(name, around);
    if (group !== "") return false;
    if (name === plural && plainCounts.has(plural)) return true;
    if (plural === "pods") return ofPods.test(name) || isExtendedQuota(name);
    if (plural === "services") return name === "services.nodeports" || name === "services.loadbalancers";
    return plural === "persistentvolumeclaims" && (name === "requests.storage" || name.includes(classSuffix));
  });
}
const ofPods = /^((requests\.|limits\.)?(cpu|memory|ephemeral-storage)|(requests\.)?hugepages-.*)$/s;

/** Sums up usages under the names that a quota bounds. */
export function sumOf(names: readonly string[], usages: Iterable<Usage>): Map<string, Quantity> {
  const zero = parseQuantity("0");
  const total = new Map<string, Quantity>(names.map(name => [name, zero]));
  for (const usage of usages) for (const name of names) {
    const amount = usage.get(name);
    if (amount !== undefined) total.set(name, addQuantities(total.get(name)!, amount));
  }
  return total;
}

/** Several sums as one: the same name may be counted of several kinds. */
export function sumUp(sums: Iterable<Usage>): Map<string, Quantity> {
  const total = new Map<string, Quantity>();
  for (const sum of sums) add(total, sum);
  return total;
}

/** As `status.used` has it. */
export function amountsOf(usage: Usage): { [resource: string]: string } {
  return Object.fromEntries([...usage].map(([name, amount]) => [name, formatQuantity(amount)]));
}
