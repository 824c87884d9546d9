import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../../base/api-error.ts";
import { ResourceClaim } from "../../kinds/resource/resourceclaim.ts";
import type { RequestAttributes } from "../context.ts";
import type { AdmissionRequest } from "./admission.ts";
import { resourceClaimAccess } from "./resource-claim.ts";

/** Asks as somebody who has these rights (`verb resource/subresource name@namespace`); gives what is refused, or "". */
async function asked(rights: readonly string[], now: any, before: any, more: Partial<AdmissionRequest> = {}): Promise<string> {
  const authorize = ({}, { verb, resource, subresource, name, namespace }: RequestAttributes) => ({ allowed: rights.includes(`${verb} ${resource}/${subresource} ${name}@${namespace}`) });
  const step = resourceClaimAccess({ authorize } as never);
  const of = (status: any) => ({ metadata: { name: "c", namespace: "ns" }, spec: { devices: {} }, status });
  const request = {
    operation: "UPDATE", verb: "patch", kind: ResourceClaim, subresource: "status", namespace: "ns", name: "c", user: { name: "system:serviceaccount:ns:driver", uid: "", groups: [], extra: { "authentication.kubernetes.io/node-name": ["n"] } },
    dryRun: false, object: of(now), previous: of(before), now: 0, read: { get: () => ({ metadata: { labels: {} } }), list: () => [] }, warn() {}, ...more,
  } as unknown as AdmissionRequest;
  try {
    await step.validate!(request);
    return "";
  } catch (error) {
    if (isApiError(error, "Invalid")) return error.message.replace(/^.* is invalid: /, "").replace(/(permission): .*/, "$1");
    throw error;
  }
}
const allocated = (node: string, ...drivers: string[]) => ({ allocation: { devices: { results: [] }, nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [node] }] }] } }, devices: drivers.map(driver => ({ driver, pool: "p", device: "d" })) });

test("allocations and reservations take the right to bind claims, whatever else one may write of their status", async () => {
  const refused = 'status.allocation: Forbidden: changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="patch" permission';
  assert.deepEqual([await asked([], { reservedFor: [{ uid: "1" }] }, {}), await asked([], allocated("n"), {}), await asked(["patch resourceclaims/binding @"], allocated("n"), {}), await asked([], { reservedFor: [{ uid: "1" }] }, { reservedFor: [{ uid: "1" }] })], [refused, refused, "", ""]);
});

test("what is said of a device takes the right to speak for its driver, on the claim's node or anywhere", async () => {
  const refused = (verbs: string) => `status.devices: Forbidden: changing status.devices requires resource="resourceclaims/driver", verb="[${verbs}]" permission`;
  const say = (rights: readonly string[], node: string, ...drivers: string[]) => asked(rights, allocated(node, ...drivers), allocated(node));
  const onNode = "associated-node:patch resourceclaims/driver a@ns", anywhere = "arbitrary-node:patch resourceclaims/driver a@ns";
  assert.deepEqual([await say([], "n", "a"), await say([], "m", "a"), await say([onNode], "n", "a"), await say([onNode], "m", "a"), await say([anywhere], "m", "a")],
    [refused("associated-node:patch arbitrary-node:patch"), refused("arbitrary-node:patch"), "", refused("arbitrary-node:patch"), ""]);
  assert.match(await say([anywhere], "m", "b", "a"), /^status\.devices: Forbidden/, "each driver is asked about");
  assert.equal(await asked([], allocated("n"), allocated("n", "a")), refused("associated-node:patch arbitrary-node:patch"), "silence changes what is said, too");
});

test("admin access takes a namespace that is marked for it, unless it was given before", async () => {
  const refused = (at: string) => `${at}.adminAccess: Forbidden: admin access to devices requires the \`resource.kubernetes.io/admin-access: true\` label on the containing namespace`;
  const create = (labels: object) => asked([], {}, {}, { operation: "CREATE", subresource: "", object: { metadata: {}, spec: { devices: { requests: [{ exactly: {} }, { exactly: { adminAccess: true } }] } } }, read: { get: () => ({ metadata: { labels } }), list: () => [] } as never });
  assert.deepEqual([await create({}), await create({ "resource.kubernetes.io/admin-access": "true" })], [refused("spec.devices.requests[1]"), ""]);
  const given = { allocation: { devices: { results: [{ adminAccess: true }] } } };
  assert.deepEqual([await asked(["patch resourceclaims/binding @"], given, {}), await asked([], given, given)], [refused("status.allocation.devices.results[0]"), ""]);
});
