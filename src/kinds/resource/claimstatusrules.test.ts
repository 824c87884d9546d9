import assert from "node:assert/strict";
import { test } from "node:test";
import { problemBody } from "../../schema/problem.ts";
import { claimStatusProblems, withoutTakenBack } from "./claimstatusrules.ts";

const device = (more: object = {}) => ({ driver: "d.example", pool: "p", device: "dev", ...more });
const allocation = (more: object = {}, rest: object = {}) => ({ devices: { results: [{ request: "r", ...device(more) }], ...rest } });
const of = (status: object, metadata: object = {}): any => ({ metadata, spec: { devices: { requests: [{ name: "r", exactly: {} }, { name: "alt", firstAvailable: [{ name: "s" }] }] } }, status });
const told = (status: object, previous: object = {}, metadata: object = {}): readonly string[] => [...claimStatusProblems(of(status, metadata), of(previous))].map(problem => `${problem.field}: ${problemBody(problem)}`.replace(/(RFC 1123 \w+) .*/, "$1"));
const user = { resource: "pods", name: "p", uid: "1" };

/** Upstream's answers (kube-apiserver 1.36.3) to the same statuses. */
const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["users of what is not allocated", told({ reservedFor: [user] }), ["status.reservedFor: Forbidden: may not be specified when `allocated` is not set"]],
  ["a user twice, and nobody", told({ allocation: allocation(), reservedFor: [user, user, { resource: "", name: "", uid: "" }] }, { allocation: allocation() }), ["status.reservedFor[2].resource: Required value", "status.reservedFor[2].name: Required value", "status.reservedFor[2].uid: Required value", 'status.reservedFor[1]: Duplicate value: "1"']],
  ["a new user of a claim that goes", told({ allocation: allocation(), reservedFor: [user] }, { allocation: allocation() }, { deletionTimestamp: "x" }), ["status.reservedFor: Forbidden: new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"]],
  ["another allocation", told({ allocation: allocation({ device: "x" }) }, { allocation: allocation() }).map(each => each.replace(/\{.*\}/, "…")), ["status.allocation: Invalid value: …: field is immutable"]],
  ["an unknown request", told({ allocation: allocation({ request: "nope" } as object) }), ["status.allocation.devices.results[0].request: Invalid value: \"nope\": must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"]],
  ["an alternative", told({ allocation: { devices: { results: [{ ...device(), request: "alt/s" }] } } }), []],
  ["a share", told({ allocation: allocation({ shareID: "x" }) }), ['status.allocation.devices.results[0].shareID: Invalid value: "x": error validating uid: invalid UUID length: 1']],
  ["conditions without failures", told({ allocation: allocation({ bindingConditions: ["a"] }) }), ["status.allocation.devices.results[0].bindingFailureConditions: Invalid value: null: bindingFailureConditions are required to use bindingConditions"]],
  ["too many", told({ allocation: { devices: { results: Array.from({ length: 33 }, () => ({ request: "r", ...device() })) } } }), ["status.allocation.devices.results: Too many: 33: must have at most 32 items"]],
  ["a device that is not allocated", told({ devices: [device()] }), ['status.devices[0]: Invalid value: {"Driver":"d.example","Pool":"p","Device":"dev","ShareID":""}: must be an allocated device in the claim']],
  ["what is said of a network device", told({ allocation: allocation(), devices: [device({ data: [1], networkData: { interfaceName: "x".repeat(257), ips: ["10.0.0.1", "fe80::0/64"] } })] }, { allocation: allocation() }), [
    'status.devices[0].data: Invalid value: "<value omitted>": must be a valid JSON object', "status.devices[0].networkData.interfaceName: Too long: may not be more than 256 bytes",
    'status.devices[0].networkData.ips[0]: Invalid value: "10.0.0.1": must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)', 'status.devices[0].networkData.ips[1]: Invalid value: "fe80::0/64": must be in canonical form ("fe80::/64")']],
];
for (const [what, got, expected] of table) test(`a claim's status with ${what}`, () => assert.deepEqual(got, expected));

test("devices that were taken back are not spoken of any more", () => {
  const [one, two] = [device(), device({ device: "two" })] as any[];
  const both = { allocation: { devices: { results: [one, two] } }, devices: [one, two] } as any;
  assert.deepEqual([withoutTakenBack(both, both), withoutTakenBack({ ...both, allocation: { devices: { results: [two] } } }, both), withoutTakenBack({ devices: [one, two] } as any, both)], [[one, two], [two], undefined]);
});
