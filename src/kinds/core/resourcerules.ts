/** Rules of resource names and amounts (kubernetes pkg/apis/core/validation ValidateContainerResourceRequirements and around). */
import { compareQuantities, quantityMilli, quantitySign } from "../../base/quantity.ts";
import { qualifiedName } from "../../schema/grammar.ts";
import { duplicate, forbidden, invalidValue, notFound, type Problem, required } from "../../schema/problem.ts";

type ResourceList = { readonly [name: string]: string };
type Requirements = { readonly limits?: ResourceList | undefined; readonly requests?: ResourceList | undefined; readonly claims?: readonly { readonly name: string; readonly request?: string | undefined }[] | undefined };

const standard = new Set(["cpu", "memory", "ephemeral-storage"]);
const isHugepages = (name: string): boolean => name.startsWith("hugepages-");
/** Resources outside of the cluster's own name space, counted in whole numbers. */
export function isExtended(name: string): boolean {
  return name.includes("/") && !name.split("/")[0]!.endsWith("kubernetes.io") && !name.startsWith("requests.");
}

/** Requests and limits of a container, or with `whole` of a pod. */
export function validateRequirements(resources: Requirements, claims: ReadonlySet<string>, path: string, whole = false): readonly Problem[] {
  const problems: Problem[] = [];
  const { limits = {}, requests = {} } = resources;
  for (const [name, amount] of Object.entries(limits)) checkResource(name, amount, `${path}.limits[${name}]`, whole, problems);
  for (const [name, amount] of Object.entries(requests)) {
    const here = `${path}.requests[${name}]`;
    checkResource(name, amount, here, whole, problems);
    const limit = Object.hasOwn(limits, name) ? limits[name]! : undefined;
    if (limit !== undefined) {
      if (compareQuantities(amount, limit) !== 0 && !overcommits(name)) problems.push(invalidValue(`${path}.requests`, amount, `must be equal to ${name} limit of ${limit}`));
      else if (compareQuantities(amount, limit) > 0) problems.push(invalidValue(`${path}.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`));
    } else if (!overcommits(name)) problems.push(required(`${path}.limits`, "Limit must be set for non overcommitable resources"));
  }
  const names = new Set([...Object.keys(limits), ...Object.keys(requests)]);
  if ([...names].some(isHugepages) && !names.has("cpu") && !names.has("memory")) problems.push(forbidden(path, "HugePages require cpu or memory"));
  checkClaims(resources.claims ?? [], claims, `${path}.claims`, problems);
  return problems;
}
const overcommits = (name: string): boolean => !isHugepages(name) && !isExtended(name);

function checkResource(name: string, amount: string, path: string, whole: boolean, problems: Problem[]): void {
  for (const detail of qualifiedName(name)) problems.push(invalidValue(path, name, detail));
  if (!name.includes("/")) {
    if (whole) {
      if (name !== "cpu" && name !== "memory" && !isHugepages(name)) problems.push({ field: path, reason: "NotSupported", value: name, detail: "supported values: \"cpu\", \"hugepages-\", \"memory\"" });
    } else if (!standard.has(name) && !isHugepages(name)) problems.push(invalidValue(path, name, "must be a standard resource for containers"));
  } else if (!isExtended(name) && !name.startsWith("kubernetes.io/")) problems.push(invalidValue(path, name, "doesn't follow extended resource name standard"));
  problems.push(...validateAmount(name, amount, path));
}

/** An amount is not negative, and whole where only whole ones make sense. */
export function validateAmount(name: string, amount: string, path: string): readonly Problem[] {
  if (quantitySign(amount) < 0) return [invalidValue(path, amount, "must be greater than or equal to 0")];
  if ((isExtended(name) || name === "pods") && quantityMilli(amount) % 1000 !== 0) return [invalidValue(path, amount, "must be an integer")];
  return [];
}

function checkClaims(claims: readonly { readonly name: string; readonly request?: string | undefined }[], known: ReadonlySet<string>, path: string, problems: Problem[]): void {
  const seen = new Set<string>();
  claims.forEach(({ name, request }, i) => {
    const key = `${name}/${request ?? ""}`;
    if (name === "") problems.push(required(`${path}[${i}]`));
    else if (seen.has(key) || (request !== undefined && seen.has(`${name}/`))) problems.push(duplicate(`${path}[${i}]`, request === undefined ? name : key));
    else if (!known.has(name)) problems.push(notFound(`${path}[${i}]`, name));
    seen.add(key);
  });
}
