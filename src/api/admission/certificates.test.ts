import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../../base/api-error.ts";
import { CertificateSigningRequest } from "../../kinds/certificates/certificatesigningrequest.ts";
import type { AdmissionRequest } from "./admission.ts";
import { certificateAdmission } from "./certificates.ts";

const steps = certificateAdmission({
  authorizer: { authorize: (user, { verb, resource, name }) => ({ allowed: user.groups.includes(`${verb} ${resource} ${name}`) }), rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }) },
  decode: base64 => new TextEncoder().encode(base64),
  read(pem) {
    const text = new TextDecoder().decode(pem);
    if (text === "bad") throw new Error("PEM block type must be CERTIFICATE REQUEST");
    return { organizations: text.split(",") };
  },
});

async function admit(more: Partial<AdmissionRequest>, ...groups: string[]): Promise<any> {
  const request: AdmissionRequest = {
    operation: "UPDATE", kind: CertificateSigningRequest, subresource: "", namespace: "", name: "r", user: { name: "eve", uid: "7", groups, extra: { k: ["v"] } }, dryRun: false, object: undefined, previous: undefined, now: 0, read: { get: () => undefined, list: () => [] }, warn() {}, ...more,
  };
  for (const step of steps) await step.mutate?.(request);
  for (const step of steps) await step.validate?.(request);
  return request.object;
}
const refusal = async (run: () => Promise<unknown>): Promise<string> => {
  try {
    await run();
    return "";
  } catch (error) {
    if (isApiError(error, "Forbidden") || isApiError(error, "Invalid")) return error.message.replace(/^.* is (forbidden|invalid): /, "");
    throw error;
  }
};
const asked = (spec: object) => ({ operation: "CREATE" as const, object: { metadata: { name: "r" }, spec: { request: "dev", signerName: "kubernetes.io/kube-apiserver-client", ...spec } } });

test("the requester is who sent the request, whatever the object says", async () => {
  assert.deepEqual((await admit(asked({ username: "admin", uid: "0", groups: ["system:masters"], extra: { a: ["b"] } }), "dev")).spec, { request: "dev", signerName: "kubernetes.io/kube-apiserver-client", username: "eve", uid: "7", groups: ["dev"], extra: { k: ["v"] } });
});

test("nobody asks for system:masters, an unreadable certificate or the legacy signer", async () => {
  assert.equal(await refusal(() => admit(asked({ request: "dev,system:masters" }))), "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed");
  assert.equal(await refusal(() => admit(asked({ request: "dev,system:masters", signerName: "example.com/x" }))), "");
  assert.equal(await refusal(() => admit(asked({ request: "bad" }))), 'spec.request: Invalid value: "bad": PEM block type must be CERTIFICATE REQUEST');
  assert.match(await refusal(() => admit(asked({ signerName: "kubernetes.io/legacy-unknown" }))), /the legacy signerName is not allowed via this API version/);
});

test("approving and signing take a right for the signer or its whole domain", async () => {
  const previous = { spec: { signerName: "example.com/x" }, status: {} };
  const approve = (...groups: string[]) => refusal(() => admit({ subresource: "approval", previous, object: { ...previous, status: { conditions: [{ type: "Approved", status: "True" }] } } }, ...groups));
  assert.equal(await approve(), 'user not permitted to approve requests with signerName "example.com/x"');
  for (const right of ["approve signers example.com/x", "approve signers example.com/*"]) assert.equal(await approve(right), "");
  const sign = (status: object, ...groups: string[]) => refusal(() => admit({ subresource: "status", previous, object: { ...previous, status } }, ...groups));
  assert.equal(await sign({ certificate: "x" }), 'user not permitted to sign requests with signerName "example.com/x"');
  assert.equal(await sign({ conditions: [{ type: "Failed", status: "True" }] }, "approve signers example.com/x"), 'user not permitted to sign requests with signerName "example.com/x"');
  assert.equal(await sign({ certificate: "x" }, "sign signers example.com/*"), "");
  assert.equal(await sign({ conditions: [{ type: "Other", status: "True" }] }), "");
});

test("conditions get their times, and keep them while their status stays", async () => {
  const previous = { spec: { signerName: "a/b" }, status: { conditions: [{ type: "X", status: "True", lastTransitionTime: "2020-01-01T00:00:00Z" }] } };
  const object = await admit({ subresource: "status", previous, object: { ...previous, status: { conditions: [{ type: "X", status: "True" }, { type: "Y", status: "True" }] } } });
  assert.deepEqual(object.status.conditions.map((each: any) => each.lastTransitionTime), ["2020-01-01T00:00:00Z", "1970-01-01T00:00:00Z"]);
});
