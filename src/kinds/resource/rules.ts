/** Rules of what claims and classes ask for (kubernetes pkg/apis/resource/validation). Expressions are compiled by `api/special/device-selectors.ts`. */
import { stringifyJson } from "../../base/json-codec.ts";
import * as grammar from "../../schema/grammar.ts";
import { duplicate, invalidValue, notSupported, type Problem, required, tooLong, tooMany } from "../../schema/problem.ts";
import { validateDriverName } from "../core/volumesourcerules.ts";
import type { DeviceClaim, DeviceConstraint, DeviceRequest, DeviceSelector, DeviceSubRequest, DeviceToleration } from "./types.ts";

export const itemsMax = 32;
export const alternativesMax = 8;
type Asked = Omit<DeviceSubRequest, "name">;

export function* claimProblems({ requests = [], constraints = [], config = [] }: DeviceClaim, path: string): Iterable<Problem> {
  const names = requestNames({ requests });
  for (const [list, length] of [["requests", requests.length], ["constraints", constraints.length], ["config", config.length]] as const) if (length > itemsMax) yield tooMany(`${path}.${list}`, length, itemsMax);
  for (const [i, request] of requests.entries()) {
    yield* requestProblems(request, `${path}.requests[${i}]`);
    if (requests.findIndex(({ name }) => name === request.name) < i) yield duplicate(`${path}.requests[${i}]`, request.name);
  }
  for (const [i, constraint] of constraints.entries()) {
    yield* referenceProblems(constraint.requests ?? [], names, `${path}.constraints[${i}].requests`);
    yield* constraintProblems(constraint, `${path}.constraints[${i}]`);
  }
  for (const [i, { requests: own = [], opaque }] of config.entries()) {
    yield* referenceProblems(own, names, `${path}.config[${i}].requests`);
    yield* opaqueProblems(opaque, `${path}.config[${i}].opaque`);
  }
}
/** What allocations and configurations may refer to. */
export const requestNames = ({ requests = [] }: Pick<DeviceClaim, "requests">): ReadonlySet<string> => new Set(requests.flatMap(({ name, firstAvailable = [] }) => [name, ...firstAvailable.map(each => `${name}/${each.name}`)]));
export function* label(name: string, path: string): Iterable<Problem> {
  for (const detail of grammar.dnsLabel(name)) yield invalidValue(path, name, detail);
}
export function* referenceProblems(given: readonly string[], names: ReadonlySet<string>, path: string): Iterable<Problem> {
  for (const [i, name] of given.entries()) {
    yield* referenceProblem(name, names, `${path}[${i}]`);
    if (given.indexOf(name) < i) yield duplicate(`${path}[${i}]`, name);
  }
}
export function* referenceProblem(name: string, names: ReadonlySet<string>, path: string): Iterable<Problem> {
  const segments = name.split("/");
  if (segments.length <= 2) for (const segment of segments) yield* label(segment, path);
  if (segments.length > 2 || !names.has(name)) yield invalidValue(path, name, "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'");
}

function* requestProblems({ name, exactly, firstAvailable = [] }: DeviceRequest, path: string): Iterable<Problem> {
  yield* label(name, `${path}.name`);
  if (exactly === undefined && firstAvailable.length === 0) yield required(path, "exactly one of `exactly` or `firstAvailable` is required");
  else if (exactly !== undefined && firstAvailable.length > 0) yield invalidValue(path, null, "exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set");
  else if (exactly !== undefined) yield* askedProblems(exactly, `${path}.exactly`);
  if (exactly !== undefined) return;
  if (firstAvailable.length > alternativesMax) yield tooMany(`${path}.firstAvailable`, firstAvailable.length, alternativesMax);
  for (const [i, asked] of firstAvailable.entries()) {
    const here = `${path}.firstAvailable[${i}]`;
    yield* label(asked.name, `${here}.name`);
    yield* askedProblems(asked, here);
    if (firstAvailable.findIndex(other => other.name === asked.name) < i) yield duplicate(here, asked.name);
  }
}
function* askedProblems({ deviceClassName, selectors = [], allocationMode: mode, count = 0, tolerations = [] }: Asked, path: string): Iterable<Problem> {
  if (deviceClassName === "") yield required(`${path}.deviceClassName`);
  else for (const detail of grammar.dnsSubdomain(deviceClassName)) yield invalidValue(`${path}.deviceClassName`, deviceClassName, detail);
  yield* selectorProblems(selectors, `${path}.selectors`);
  if (mode === "All") {
    if (count !== 0) yield invalidValue(`${path}.count`, count, "must not be specified when allocationMode is 'All'");
  } else if (mode !== "ExactCount") yield notSupported(`${path}.allocationMode`, mode ?? "", ["All", "ExactCount"]);
  else if (count <= 0) yield invalidValue(`${path}.count`, count, "must be greater than zero");
  for (const [i, toleration] of tolerations.entries()) yield* tolerationProblems(toleration, `${path}.tolerations[${i}]`);
}
export function* selectorProblems(selectors: readonly DeviceSelector[], path: string): Iterable<Problem> {
  if (selectors.length > itemsMax) yield tooMany(path, selectors.length, itemsMax);
  for (const [i, { cel }] of selectors.entries()) if (cel === undefined) yield required(`${path}[${i}].cel`);
}
function* tolerationProblems({ key = "", operator, value = "", effect }: DeviceToleration, path: string): Iterable<Problem> {
  if (key !== "") for (const detail of grammar.qualifiedName(key)) yield invalidValue(`${path}.key`, key, detail);
  if (operator === "Exists") {
    if (value !== "") yield invalidValue(`${path}.value`, value, "must be empty for operator `Exists`");
  } else if (operator === "Equal") for (const detail of grammar.labelValue(value)) yield invalidValue(`${path}.value`, value, detail);
  else yield (operator as string) === "" ? required(`${path}.operator`) : notSupported(`${path}.operator`, operator, ["Equal", "Exists"]);
  if (effect && !["NoExecute", "NoSchedule", "None"].includes(effect)) yield notSupported(`${path}.effect`, effect, ["NoExecute", "NoSchedule", "None"]);
}
function* constraintProblems({ matchAttribute, distinctAttribute }: DeviceConstraint, path: string): Iterable<Problem> {
  if (matchAttribute !== undefined) yield* fullNameProblems(matchAttribute, `${path}.matchAttribute`);
  else if (distinctAttribute !== undefined) yield* fullNameProblems(distinctAttribute, `${path}.distinctAttribute`);
  else yield required(path, 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set');
}
/** `example.com/name`: a domain, and a name as C has it. */
function* fullNameProblems(name: string, path: string): Iterable<Problem> {
  const slash = name.indexOf("/");
  if (slash >= 0) {
    const domain = name.slice(0, slash);
    if (domain === "") yield required(path, "the domain must not be empty");
    else {
      if (domain.length > 63) yield tooLong(path, 63);
      for (const detail of grammar.dnsSubdomain(domain)) yield invalidValue(path, domain, detail);
    }
  }
  const own = name.slice(slash + 1);
  if (own === "" && slash >= 0) yield required(path, "the name must not be empty");
  else {
    if (own.length > 32) yield tooLong(path, 32);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(own)) yield invalidValue(path, own, "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')");
  }
  if (slash < 0) yield invalidValue(path, name, "a fully qualified name must be a domain and a name separated by a slash");
}
export const configsMax = itemsMax;
export function* opaqueProblems(opaque: { readonly driver: string; readonly parameters?: unknown } | undefined, path: string): Iterable<Problem> {
  if (opaque === undefined) return yield required(path);
  yield* validateDriverName(opaque.driver, `${path}.driver`);
  if (opaque.parameters === undefined || opaque.parameters === null) yield required(`${path}.parameters`);
  else yield* rawProblems(opaque.parameters, `${path}.parameters`);
}
const rawMax = 10_240;
/** What only drivers understand: an object, not too long. */
export function* rawProblems(data: unknown, path: string): Iterable<Problem> {
  if (stringifyJson(data).length > rawMax) yield tooLong(path, rawMax);
  else if (typeof data !== "object" || Array.isArray(data)) yield invalidValue(path, "<value omitted>", "must be a valid JSON object");
}
