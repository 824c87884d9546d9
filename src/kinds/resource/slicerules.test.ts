import assert from "node:assert/strict";
import { test } from "node:test";
import { problemBody } from "../../schema/problem.ts";
import { sliceProblems } from "./slicerules.ts";

const slice = { driver: "gpu.example.com", nodeName: "n", pool: { name: "p", generation: 1, resourceSliceCount: 1 } };
const said = (more: object, previous?: object): string => [...sliceProblems({ ...slice, ...more } as never, previous === undefined ? undefined : ({ ...slice, ...previous } as never))].map(problem => `${problem.field}: ${problemBody(problem)}`).join("; ");
const device = (more: object = {}): object => ({ devices: [{ name: "d", ...more }] });
const several = { allowMultipleAllocations: true };

const table: readonly (readonly [string, object, object | undefined, string])[] = [
  ["one device", device({ attributes: { model: { string: "x" }, "example.com/version": { version: "1.2.3-a.1+b" } }, capacity: { memory: { value: "1Gi" } } }), undefined, ""],
  ["nowhere", { nodeName: undefined }, undefined, "spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"],
  ["here and everywhere", { allNodes: true }, undefined, 'spec: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required, but multiple fields are set'],
  ["not everywhere", { nodeName: undefined, allNodes: false }, undefined, "spec.allNodes: Invalid value: false: must be either unset or set to true; spec: Required value: exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"],
  ["a pool of none", { pool: { name: "", generation: -1, resourceSliceCount: 0 } }, undefined, "spec.pool.name: Required value; spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero; spec.pool.generation: Invalid value: -1: must be greater than or equal to zero"],
  ["moved to another node", { nodeName: "m" }, {}, 'spec.nodeName: Invalid value: "m": field is immutable'],
  ["a device twice", { devices: [{ name: "d" }, { name: "d" }] }, undefined, 'spec.devices[1]: Duplicate value: "d"'],
  ["an attribute of two values, and one of none", device({ attributes: { a: { int: 1, bool: true }, b: {} } }), undefined, 'spec.devices[0].attributes[a]: Invalid value: {"int":1,"bool":true}: exactly one value must be specified; spec.devices[0].attributes[b]: Invalid value: "": exactly one value must be specified'],
  ["a version that is none", device({ attributes: { v: { version: "1.2" } } }), undefined, 'spec.devices[0].attributes[v].version: Invalid value: "1.2": must be a string compatible with semver.org spec 2.0.0'],
  ["a device with a place of its own", device({ nodeName: "n" }), undefined, "spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec"],
  ["places of their own, but none", { nodeName: undefined, perDeviceNodeSelection: true, ...device() }, undefined, "spec.devices[0]: Required value: exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec"],
  ["a policy for one user", device({ capacity: { m: { value: "1", requestPolicy: {} } } }), undefined, "spec.devices[0].capacity[m].requestPolicy: Forbidden: allowMultipleAllocations must be true"],
  ["values to choose from", device({ ...several, capacity: { m: { value: "4", requestPolicy: { default: "3", validValues: ["2", "1", "8"] } } } }), undefined, 'spec.devices[0].capacity[m].requestPolicy.validValues[1]: Invalid value: "1": values must be sorted in ascending order; spec.devices[0].capacity[m].requestPolicy.validValues[2]: Invalid value: "8": option is larger than capacity value: 4; spec.devices[0].capacity[m].requestPolicy.validValues: Invalid value: "3": default value is not valid according to the requestPolicy'],
  ["a range", device({ ...several, capacity: { m: { value: "8", requestPolicy: { default: "3", validRange: { min: "2", max: "6", step: "2" } } } } }), undefined, 'spec.devices[0].capacity[m].requestPolicy.validRange.step: Invalid value: "3": value is not a multiple of a given step (2) from (2)'],
  ["counters and devices", { sharedCounters: [{ name: "s", counters: {} }], devices: [] }, undefined, 'spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed; spec.sharedCounters[0].counters: Required value'],
  ["a taint", device({ taints: [{ key: "a", effect: "Maybe" }] }), undefined, 'spec.devices[0].taints[0].effect: Unsupported value: "Maybe": supported values: "NoExecute", "NoSchedule", "None"'],
  ["conditions without failures", device({ bindingConditions: ["a", "a"] }), undefined, 'spec.devices[0].bindingConditions[1]: Duplicate value: "a"; spec.devices[0].bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions'],
  ["more devices than fit", { devices: Array.from({ length: 129 }, (_, i) => ({ name: `d${i}` })) }, undefined, "spec.devices: Too many: 129: must have at most 128 items"],
];
for (const [name, more, previous, expected] of table) test(`a slice: ${name}`, () => assert.equal(said(more, previous), expected));
