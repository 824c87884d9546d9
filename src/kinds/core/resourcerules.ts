/** Rules of resource names and amounts (kubernetes pkg/apis/core/validation ValidateContainerResourceRequirements and around). */
import { compareQuantities, quantityMilli, quantitySign } from "../../base/quantity.ts";
import { dnsLabel, qualifiedName } from "../../schema/grammar.ts";
import { duplicate, forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";

type ResourceList = { readonly [name: string]: string };
type Requirements = { readonly limits?: ResourceList | undefined; readonly requests?: ResourceList | undefined; readonly claims?: readonly { readonly name: string; readonly request?: string | undefined }[] | undefined };

const standard = new Set(["cpu", "memory", "ephemeral-storage"]);
/** Names without a prefix that mean something somewhere: to containers, quotas or limit ranges. */
const anywhere = new Set([...standard, "storage", "requests.cpu", "requests.memory", "requests.ephemeral-storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage", "pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims", "requests.storage", "services.nodeports", "services.loadbalancers"]);
const isHugepages = (name: string): boolean => name.startsWith("hugepages-");
/** Resources outside of the cluster's own name space, counted in whole numbers. */
export function isExtended(name: string): boolean {
  return name.includes("/") && !name.split("/")[0]!.endsWith("kubernetes.io") && !name.startsWith("requests.");
}

const nothing: ResourceList = {};
const none: readonly Problem[] = [];

/** Requests and limits of a container, or with `whole` of a pod. */
export function validateRequirements(resources: Requirements, claims: ReadonlySet<string>, path: string, whole = false): readonly Problem[] {
  const problems: Problem[] = [];
  const { limits = nothing, requests = nothing } = resources;
  for (const name in limits) checkResource(name, limits[name]!, `${path}.limits[${name}]`, whole, problems);
  for (const name in requests) {
    const amount = requests[name]!;
    checkResource(name, amount, `${path}.requests[${name}]`, whole, problems);
    const limit = Object.hasOwn(limits, name) ? limits[name]! : undefined;
    if (limit !== undefined) {
      if (compareQuantities(amount, limit) !== 0 && !overcommits(name)) problems.push(invalidValue(`${path}.requests`, amount, `must be equal to ${name} limit of ${limit}`));
      else if (compareQuantities(amount, limit) > 0) problems.push(invalidValue(`${path}.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`));
    } else if (!overcommits(name)) problems.push(required(`${path}.limits`, "Limit must be set for non overcommitable resources"));
  }
  const has = (name: string): boolean => Object.hasOwn(limits, name) || Object.hasOwn(requests, name);
  if (!has("cpu") && !has("memory") && (Object.keys(limits).some(isHugepages) || Object.keys(requests).some(isHugepages))) problems.push(forbidden(path, "HugePages require cpu or memory"));
  if (resources.claims !== undefined) checkClaims(resources.claims, claims, `${path}.claims`, problems);
  return problems;
}
export const overcommits = (name: string): boolean => !isHugepages(name) && (!name.includes("/") || name.includes("kubernetes.io/"));

function checkResource(name: string, amount: string, path: string, whole: boolean, problems: Problem[]): void {
  if (!(name === "cpu" || name === "memory")) problems.push(...validateResourceName(name, path, whole));
  problems.push(...validateAmount(name, amount, path));
}
/** A resource that containers may ask for, or with `whole` pods. */
export function validateResourceName(name: string, path: string, whole = false): readonly Problem[] {
  if (name === "cpu" || name === "memory" || (!whole && standard.has(name))) return [];
  const problems = [...validateAnyResourceName(name, path)];
  if (whole) {
    if (problems.length === 0 && name !== "cpu" && name !== "memory" && !isHugepages(name)) problems.push(notSupported(path, name, ["cpu", "hugepages-", "memory"]));
  } else if (!name.includes("/")) {
    if (!standard.has(name) && !isHugepages(name)) problems.push(invalidValue(path, name, "must be a standard resource for containers"));
  } else if (!name.includes("kubernetes.io/") && (!isExtended(name) || qualifiedName(`requests.${name}`).length > 0)) problems.push(invalidValue(path, name, "doesn't follow extended resource name standard"));
  return problems;
}

/** A resource that means something somewhere. */
export function validateAnyResourceName(name: string, path: string): readonly Problem[] {
  const details = qualifiedName(name);
  if (details.length > 0) return details.map(detail => invalidValue(path, name, detail));
  return name.includes("/") || anywhere.has(name) || isHugepages(name) ? [] : [invalidValue(path, name, "must be a standard resource type or fully qualified")];
}

/** An amount is not negative, and whole where only whole ones make sense. */
export function validateAmount(name: string, amount: string, path: string): readonly Problem[] {
  if (quantitySign(amount) < 0) return [invalidValue(path, amount, "must be greater than or equal to 0")];
  if ((isExtended(name) || name === "pods") && quantityMilli(amount) % 1000 !== 0) return [invalidValue(path, amount, "must be an integer")];
  return none;
}

function checkClaims(claims: readonly { readonly name: string; readonly request?: string | undefined }[], known: ReadonlySet<string>, path: string, problems: Problem[]): void {
  const seen = new Set<string>();
  claims.forEach(({ name, request }, i) => {
    const here = `${path}[${i}]`;
    if (name === "") return void problems.push(required(here));
    const key = request ? `${name}/${request}` : name;
    if (seen.has(name)) problems.push(duplicate(here, name));
    else {
      if (request) for (const detail of dnsLabel(request)) problems.push(invalidValue(`${here}.request`, request, detail));
      if (seen.has(key)) problems.push(duplicate(here, key));
      else if (!request) for (const other of seen) if (other.startsWith(`${name}/`)) problems.push(duplicate(here, name));
      seen.add(key);
    }
    if (!known.has(name)) problems.push({ field: here, reason: "NotFound", value: name, detail: `must be one of the names in pod.spec.resourceClaims${known.size === 0 ? " which is empty" : `: ${[...known].sort().join(", ")}`}` });
  });
}
