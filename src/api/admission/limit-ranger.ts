/** What one pod or claim of a namespace may ask for, and what a container asks for that says nothing (plugin/pkg/admission/limitranger). */
import { getOwn, setOwn } from "../../base/json.ts";
import { addQuantities, compareQuantities, formatQuantity, parseQuantity, quantitySign, quantityMilli } from "../../base/quantity.ts";
import { PersistentVolumeClaim } from "../../kinds/core/persistentvolumeclaim.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";
import { refuse } from "./namespace-lifecycle.ts";

type Amounts = { readonly [resource: string]: string };
const none: Amounts = {};

export const limitRanger: AdmissionStep = {
  name: "LimitRanger",
  mutate(request) {
    if (!concerns(request) || request.kind !== Pod) return;
    const set = limitsOf(request).filter(({ type }) => type === "Container").flatMap(limit => fillIn(request.object.spec, limit));
    if (set.length > 0) request.object.metadata.annotations = { ...request.object.metadata.annotations, "kubernetes.io/limit-ranger": `LimitRanger plugin set: ${set.join("; ")}` };
  },
  validate(request) {
    if (!concerns(request)) return;
    const { kind, object } = request;
    const problems = limitsOf(request).flatMap(limit => [...(kind === Pod ? podProblems(object.spec, limit) : claimProblems(object.spec, limit))]);
    if (problems.length > 0) throw refuse(request, problems.length === 1 ? problems[0]! : `[${problems.join(", ")}]`);
  },
};

/** Updates need no look: what a pod asks for does not change with one, but for resizing. */
function concerns({ kind, subresource, operation }: AdmissionRequest): boolean {
  if (kind === Pod) return (operation === "CREATE" && subresource === "") || (operation === "UPDATE" && subresource === "resize");
  return kind === PersistentVolumeClaim && subresource === "" && (operation === "CREATE" || operation === "UPDATE");
}

function limitsOf({ read, namespace }: AdmissionRequest): any[] {
  return read.list("", "limitranges", namespace).flatMap(range => range.spec.limits ?? []);
}

/** Gives every container what it does not name; says what it did. */
function fillIn(spec: any, { defaultRequest = none, default: defaultLimit = none }: { readonly defaultRequest?: Amounts; readonly default?: Amounts }): string[] {
  const done: string[] = [];
  for (const [what, list] of [["container", spec.containers], ["init container", spec.initContainers]] as const)
    for (const container of list ?? []) {
      const { requests = none, limits = none } = container.resources ?? {};
      const missing = (given: Amounts, defaults: Amounts): string[] => Object.keys(defaults).filter(name => getOwn(given, name) === undefined).sort();
      const [noRequest, noLimit] = [missing(requests, defaultRequest), missing(limits, defaultLimit)];
      if (noRequest.length > 0) done.push(`${noRequest.join(", ")} request for ${what} ${container.name}`);
      if (noLimit.length > 0) done.push(`${noLimit.join(", ")} limit for ${what} ${container.name}`);
      if (noRequest.length + noLimit.length === 0) continue;
      const [allLimits, allRequests] = [{ ...defaultLimit, ...limits }, { ...defaultRequest, ...requests }];
      container.resources = { ...container.resources, ...(Object.keys(allLimits).length > 0 ? { limits: allLimits } : {}), ...(Object.keys(allRequests).length > 0 ? { requests: allRequests } : {}) };
    }
  return done;
}

function* podProblems(spec: any, limit: any): Iterable<string> {
  const { type, min = none, max = none, maxLimitRequestRatio = none } = limit;
  const subjects: { requests: Amounts; limits: Amounts }[] = type === "Container"
    ? [...spec.containers, ...(spec.initContainers ?? [])].map(({ resources }: any) => ({ requests: resources?.requests ?? none, limits: resources?.limits ?? none }))
    : type === "Pod" ? [{ requests: podTotal(spec, "requests"), limits: podTotal(spec, "limits") }] : [];
  for (const { requests, limits } of subjects) {
    for (const [name, bound] of Object.entries<string>(min)) yield* tooLittle(type, name, bound, requests, limits);
    for (const [name, bound] of Object.entries<string>(max)) yield* tooMuch(type, name, bound, requests, limits);
    for (const [name, bound] of Object.entries<string>(maxLimitRequestRatio)) yield* tooSteep(type, name, bound, requests, limits);
  }
}

function* claimProblems(spec: any, { type, min = none, max = none }: any): Iterable<string> {
  if (type !== "PersistentVolumeClaim") return;
  const requests: Amounts = spec.resources?.requests ?? none;
  for (const [name, bound] of Object.entries<string>(min)) yield* tooLittle(type, name, bound, requests, none);
  for (const [name, bound] of Object.entries<string>(max)) {
    const request = getOwn(requests, name);
    if (request === undefined) yield `maximum ${name} usage per ${type} is ${bound}.  No request is specified`;
    else if (compareQuantities(request, bound) > 0) yield `maximum ${name} usage per ${type} is ${bound}, but request is ${request}`;
  }
}

function* tooLittle(type: string, name: string, bound: string, requests: Amounts, limits: Amounts): Iterable<string> {
  const [request, limit] = [getOwn(requests, name), getOwn(limits, name)];
  const usage = `minimum ${name} usage per ${type} is ${bound}`;
  if (request === undefined) yield `${usage}.  No request is specified`;
  else if (compareQuantities(request, bound) < 0) yield `${usage}, but request is ${request}`;
  else if (limit !== undefined && compareQuantities(limit, bound) < 0) yield `${usage}, but limit is ${limit}`;
}

function* tooMuch(type: string, name: string, bound: string, requests: Amounts, limits: Amounts): Iterable<string> {
  const [request, limit] = [getOwn(requests, name), getOwn(limits, name)];
  const usage = `maximum ${name} usage per ${type} is ${bound}`;
  if (limit === undefined) yield `${usage}.  No limit is specified`;
  else if (compareQuantities(limit, bound) > 0) yield `${usage}, but limit is ${limit}`;
  else if (request !== undefined && compareQuantities(request, bound) > 0) yield `${usage}, but request is ${request}`;
}

function* tooSteep(type: string, name: string, bound: string, requests: Amounts, limits: Amounts): Iterable<string> {
  const [request, limit] = [getOwn(requests, name), getOwn(limits, name)];
  const ratio = `${name} max limit to request ratio per ${type} is ${bound}`;
  if (request === undefined || quantitySign(request) === 0) yield `${ratio}, but no request is specified or request is 0`;
  else if (limit === undefined || quantitySign(limit) === 0) yield `${ratio}, but no limit is specified or limit is 0`;
  else {
    const steep = quantityMilli(limit) / quantityMilli(request);
    if (steep * 1000 > quantityMilli(bound)) yield `${ratio}, but provided ratio is ${steep.toFixed(6)}`;
  }
}

/** Containers together, or an init container if it asks for more; a resource counts only if every container names it. */
function podTotal(spec: any, which: "requests" | "limits"): Amounts {
  const lists: Amounts[] = spec.containers.map(({ resources }: any) => resources?.[which] ?? none);
  const names = Object.keys(lists[0] ?? none).filter(name => lists.every(list => getOwn(list, name) !== undefined));
  const total: { [resource: string]: string } = Object.fromEntries(names.map(name => [name, formatQuantity(lists.map(list => parseQuantity(list[name]!)).reduce((a, b) => addQuantities(a, b)))]));
  for (const { resources } of spec.initContainers ?? [])
    for (const [name, amount] of Object.entries<string>(resources?.[which] ?? none)) {
      const known = getOwn(total, name);
      if (known === undefined || compareQuantities(amount, known) > 0) setOwn(total, name, amount);
    }
  return total;
}
