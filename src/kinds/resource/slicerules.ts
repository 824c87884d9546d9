/** Rules of what drivers offer (kubernetes pkg/apis/resource/validation, ValidateResourceSlice). */
import { addQuantities, compareQuantities, formatQuantity, quantityValue } from "../../base/quantity.ts";
import { sameJson } from "../../base/json.ts";
import * as grammar from "../../schema/grammar.ts";
import { goValue } from "../../schema/go-value.ts";
import { duplicate, forbidden, invalidValue, notSupported, type Problem, required, tooLong, tooMany } from "../../schema/problem.ts";
import { NodeSelector } from "../core/references.ts";
import { validateNodeSelector } from "../core/affinityrules.ts";
import { validateDriverName } from "../core/volumesourcerules.ts";
import type { CapacityRequestPolicy, CapacityRequestPolicyRange, CounterSet, Device, DeviceAttribute, DeviceCapacity, ResourceSliceSpec } from "./resourceslice.ts";
import type { DeviceTaint } from "./types.ts";

const devicesMax = 128;
/** With taints, counters or lists of values, which take more room each. */
const richDevicesMax = 64;
const [countersMax, counterSetsMax, consumptionsMax, taintsMax, conditionsMax, optionsMax] = [32, 8, 2, 16, 4, 10];
const [namedMax, valuesMax, textMax, idMax, poolNameMax] = [32, 48, 64, 32, 253];
const effects = ["NoExecute", "NoSchedule", "None"];
/** semver.org's own; without nested repetition. */
const semver = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;
const list = (attribute: DeviceAttribute) => [attribute.bools, attribute.ints, attribute.strings, attribute.versions].filter(each => each !== undefined);

export function* sliceProblems(spec: ResourceSliceSpec, previous: ResourceSliceSpec | undefined): Iterable<Problem> {
  const { devices = [], sharedCounters = [], pool } = spec;
  yield* validateDriverName(spec.driver, "spec.driver");
  yield* poolProblems(pool);
  for (const [field, now, then] of [["pool.name", pool.name, previous?.pool.name], ["driver", spec.driver, previous?.driver], ["nodeName", spec.nodeName, previous?.nodeName]] as const) if (previous !== undefined && now !== then) yield invalidValue(`spec.${field}`, now ?? null, "field is immutable");
  if (spec.nodeSelector !== undefined && spec.nodeSelector.nodeSelectorTerms.length !== 1) yield invalidValue("spec.nodeSelector.nodeSelectorTerms", goValue(NodeSelector.node.fields!["nodeSelectorTerms"]!, spec.nodeSelector.nodeSelectorTerms), "must have exactly one node selector term");
  yield* placeProblems(spec, "spec", ["nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection"], "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required", ", but multiple fields are set", "must be either unset or set to a non-empty string");
  if (spec.sharedCounters !== undefined && spec.devices !== undefined) yield invalidValue("spec", "", "only one of `sharedCounters` or `devices` is allowed");
  const rich = devices.some(({ taints = [], consumesCounters = [], attributes = {} }) => taints.length > 0 || consumesCounters.length > 0 || Object.values(attributes).some(each => list(each).length > 0));
  yield* set(devices, rich ? richDevicesMax : devicesMax, ({ name }) => name, "spec.devices", (device, path) => deviceProblems(device, previous?.devices?.find(({ name }) => name === device.name), path, spec.perDeviceNodeSelection === true));
  yield* set(sharedCounters, counterSetsMax, ({ name }) => name, "spec.sharedCounters", counterSetProblems);
}

/** Every item, and those that are there twice; too many are not looked at. */
export function* set<T>(items: readonly T[], max: number, keyOf: (item: T) => string, path: string, check: (item: T, path: string) => Iterable<Problem>): Iterable<Problem> {
  if (items.length > max) return void (yield tooMany(path, items.length, max));
  for (const [i, item] of items.entries()) yield* check(item, `${path}[${i}]`);
  const seen = new Set<string>();
  for (const [i, item] of items.entries()) {
    if (seen.has(keyOf(item))) yield duplicate(`${path}[${i}]`, keyOf(item));
    seen.add(keyOf(item));
  }
}

function* poolProblems({ name, resourceSliceCount, generation }: ResourceSliceSpec["pool"]): Iterable<Problem> {
  yield* poolNameProblems(name, "spec.pool.name");
  if (Number(resourceSliceCount) <= 0) yield invalidValue("spec.pool.resourceSliceCount", resourceSliceCount, "must be greater than zero");
  if (Number(generation) < 0) yield invalidValue("spec.pool.generation", generation, "must be greater than or equal to zero");
}

export function* poolNameProblems(name: string, path: string): Iterable<Problem> {
  if (name === "") return yield required(path);
  if (name.length > poolNameMax) yield tooLong(path, poolNameMax);
  for (const part of name.split("/")) for (const detail of grammar.dnsSubdomain(part)) yield invalidValue(path, part, detail);
}

type Place = Pick<ResourceSliceSpec, "nodeName" | "nodeSelector" | "allNodes"> & { readonly perDeviceNodeSelection?: boolean | undefined };
function* placeProblems(place: Place, path: string, fields: readonly (keyof Place)[], wanted: string, several: string, blank: string): Iterable<Problem> {
  const given: string[] = [];
  for (const field of fields) {
    const value = place[field];
    if (value === undefined) continue;
    if (value === "") yield invalidValue(`${path}.${field}`, value, blank);
    else if (value === false) yield invalidValue(`${path}.${field}`, value, "must be either unset or set to true");
    else given.push(`\`${field}\``);
    if (field === "nodeName" && value !== "") for (const detail of grammar.dnsSubdomain(value as string)) yield invalidValue(`${path}.nodeName`, value, detail);
    if (field === "nodeSelector") yield* validateNodeSelector(place.nodeSelector!, `${path}.nodeSelector`);
  }
  if (given.length === 0) yield required(path, wanted);
  else if (given.length > 1) yield invalidValue(path, `{${given.join(", ")}}`, `${wanted}${several}`);
}

function* counterName(name: string, path: string): Iterable<Problem> {
  for (const detail of grammar.dnsLabel(name)) yield invalidValue(path, name, detail);
}
function* counterSetProblems({ name, counters }: CounterSet, path: string): Iterable<Problem> {
  if (name === "") yield required(`${path}.name`);
  else yield* counterName(name, `${path}.name`);
  yield* countersProblems(counters, `${path}.counters`);
}
function* countersProblems(counters: CounterSet["counters"] | undefined, path: string): Iterable<Problem> {
  const names = Object.keys(counters ?? {});
  if (names.length === 0) yield required(path);
  else if (names.length > countersMax) yield tooMany(path, names.length, countersMax);
  else for (const name of names) yield* counterName(name, path);
}

function* deviceProblems(device: Device, previous: Device | undefined, path: string, places: boolean): Iterable<Problem> {
  const { name, attributes = {}, capacity = {}, taints = [], consumesCounters = [] } = device;
  for (const detail of grammar.dnsLabel(name)) yield invalidValue(`${path}.name`, name, detail);
  const named = Object.keys(attributes).length + Object.keys(capacity).length;
  if (named > namedMax) yield invalidValue(path, named, `the total number of attributes and capacities must not exceed ${namedMax}`);
  const values = Object.values(attributes).reduce((sum, each) => sum + Math.max(1, list(each).reduce((count, items) => count + items.length, 0)), 0);
  if (values > valuesMax) yield invalidValue(path, values, `the total number of attribute values must not exceed ${valuesMax}`);
  for (const [key, attribute] of Object.entries(attributes)) {
    yield* qualifiedName(key, `${path}.attributes`);
    yield* attributeProblems(attribute, `${path}.attributes[${key}]`);
  }
  for (const [key, each] of Object.entries(capacity)) {
    yield* qualifiedName(key, `${path}.capacity`);
    if (each.requestPolicy === undefined) continue;
    const here = `${path}.capacity[${key}].requestPolicy`;
    if (device.allowMultipleAllocations !== true) yield forbidden(here, "allowMultipleAllocations must be true");
    else yield* policyProblems(each, each.requestPolicy, here);
  }
  if (!sameJson(previous?.taints ?? null, device.taints ?? null)) {
    if (taints.length > taintsMax) yield tooMany(`${path}.taints`, taints.length, taintsMax);
    else for (const [i, taint] of taints.entries()) yield* taintProblems(taint, `${path}.taints[${i}]`);
  }
  yield* set(consumesCounters, consumptionsMax, ({ counterSet }) => counterSet, `${path}.consumesCounters`, function* ({ counterSet, counters }, here) {
    if (counterSet === "") yield required(`${here}.counterSet`);
    else yield* counterName(counterSet, `${here}.counterSet`);
    yield* countersProblems(counters, `${here}.counters`);
  });
  const only = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  if (places) yield* placeProblems(device, path, ["nodeName", "nodeSelector", "allNodes"], only, "", "must not be empty");
  else if (device.nodeName !== undefined || device.nodeSelector !== undefined || device.allNodes !== undefined) yield invalidValue(path, null, "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec");
  yield* conditionProblems(device, path);
}

function* qualifiedName(name: string, path: string): Iterable<Problem> {
  const parts = name.split("/");
  if (parts.length > 2) return;
  const [domain, id] = parts.length === 2 ? [parts[0]!, parts[1]!] : [undefined, parts[0]!];
  if (domain === "") yield invalidValue(path, "", "the domain must not be empty");
  else if (domain !== undefined) yield* validateDriverName(domain, path);
  if (id === "" && domain !== undefined) return void (yield invalidValue(path, "", "the name must not be empty"));
  if (id.length > idMax) yield tooLong(path, idMax);
  for (const detail of grammar.cIdentifier(id)) yield invalidValue(path, id, detail);
}

function* attributeProblems(attribute: DeviceAttribute, path: string): Iterable<Problem> {
  const text = function* (value: string, here: string): Iterable<Problem> {
    if (value.length > textMax) yield tooLong(here, textMax);
  };
  const version = function* (value: string, here: string): Iterable<Problem> {
    if (value.length <= textMax && !semver.test(value)) yield invalidValue(here, value, "must be a string compatible with semver.org spec 2.0.0");
    yield* text(value, here);
  };
  if (attribute.string !== undefined) yield* text(attribute.string, `${path}.string`);
  if (attribute.version !== undefined) yield* version(attribute.version, `${path}.version`);
  for (const field of ["bools", "ints", "strings", "versions"] as const) if (attribute[field]?.length === 0) yield invalidValue(`${path}.${field}`, [], "must not be empty if specified");
  for (const [i, value] of (attribute.strings ?? []).entries()) yield* text(value, `${path}.strings[${i}]`);
  for (const [i, value] of (attribute.versions ?? []).entries()) yield* version(value, `${path}.versions[${i}]`);
  const count = Object.values(attribute).filter(value => value !== undefined).length;
  if (count !== 1) yield invalidValue(path, count === 0 ? "" : attribute, "exactly one value must be specified");
}

function* policyProblems({ value: max }: DeviceCapacity, policy: CapacityRequestPolicy, path: string): Iterable<Problem> {
  const { validValues = [], validRange, default: usual } = policy;
  if (validValues.length > 0 && validRange !== undefined) return void (yield forbidden(path, 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'));
  if (validValues.length > 0 && usual === undefined) yield required(`${path}.default`, "required when validValues is defined");
  else if (validValues.length > 0) {
    const here = `${path}.validValues`;
    for (let i = 1; i < validValues.length; i++) if (compareQuantities(validValues[i - 1]!, validValues[i]!) > 0) yield invalidValue(`${here}[${i}]`, validValues[i], "values must be sorted in ascending order");
    yield* set(validValues, optionsMax, value => String(quantityValue(value)), here, function* (value, at) {
      if (compareQuantities(value, max) > 0) yield invalidValue(at, value, `option is larger than capacity value: ${max}`);
    });
    if (!validValues.some(value => compareQuantities(value, usual!) === 0)) yield invalidValue(here, usual, "default value is not valid according to the requestPolicy");
  } else if (validRange !== undefined && usual === undefined) yield required(`${path}.default`, "required when validRange is defined");
  else if (validRange !== undefined) yield* rangeProblems(validRange, usual!, max, `${path}.validRange`);
}
function* rangeProblems({ min, max, step }: CapacityRequestPolicyRange, usual: string, capacity: string, path: string): Iterable<Problem> {
  if (min === undefined || min === null) return void (yield required(`${path}.min`, "required when validRange is defined"));
  if (compareQuantities(min, capacity) > 0) yield invalidValue(`${path}.min`, min, `min is larger than capacity value: ${capacity}`);
  if (compareQuantities(usual, min) < 0) yield invalidValue(`${path}.min`, usual, `default is less than min: ${min}`);
  if (max !== undefined) {
    if (compareQuantities(min, max) > 0) yield invalidValue(`${path}.max`, min, `min is larger than max: ${max}`);
    if (compareQuantities(max, capacity) > 0) yield invalidValue(`${path}.max`, max, `max is larger than capacity value: ${capacity}`);
    if (compareQuantities(usual, max) > 0) yield invalidValue(`${path}.max`, usual, `default is more than max: ${max}`);
  }
  if (step === undefined) return;
  const first = addQuantities(min, step);
  if (compareQuantities(first, capacity) > 0) yield invalidValue(`${path}.step`, step, `one step ${formatQuantity(first)} is larger than capacity value: ${capacity}`);
  for (const value of max === undefined ? [usual] : [usual, max]) if ((quantityValue(value) - quantityValue(min)) % quantityValue(step) !== 0) yield invalidValue(`${path}.step`, value, `value is not a multiple of a given step (${step}) from (${min})`);
}

function* taintProblems({ key, value = "", effect }: DeviceTaint, path: string): Iterable<Problem> {
  for (const detail of grammar.qualifiedName(key)) yield invalidValue(`${path}.key`, key, detail);
  for (const detail of grammar.labelValue(value)) yield invalidValue(`${path}.value`, value, detail);
  if ((effect as string) === "") yield required(`${path}.effect`);
  else if (!effects.includes(effect)) yield notSupported(`${path}.effect`, effect, effects);
}

export function* conditionProblems({ bindingConditions: met = [], bindingFailureConditions: failed = [] }: Pick<Device, "bindingConditions" | "bindingFailureConditions">, path: string): Iterable<Problem> {
  for (const [field, conditions] of [["bindingConditions", met], ["bindingFailureConditions", failed]] as const) {
    if (conditions.length > conditionsMax) yield tooMany(`${path}.${field}`, conditions.length, conditionsMax);
    else for (const [i, condition] of conditions.entries()) for (const detail of grammar.qualifiedName(condition)) yield invalidValue(`${path}.${field}[${i}]`, condition, detail);
    for (const [i, condition] of conditions.entries()) {
      if (conditions.indexOf(condition) < i) yield duplicate(`${path}.${field}[${i}]`, condition);
      if (conditions === failed && met.includes(condition)) yield invalidValue(`${path}.${field}[${i}]`, condition, "bindingFailureConditions must not overlap with bindingConditions");
    }
  }
  if (met.length === 0 && failed.length > 0) yield invalidValue(`${path}.bindingConditions`, null, "bindingConditions are required to use bindingFailureConditions");
  if (failed.length === 0 && met.length > 0) yield invalidValue(`${path}.bindingFailureConditions`, null, "bindingFailureConditions are required to use bindingConditions");
}
