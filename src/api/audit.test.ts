import assert from "node:assert/strict";
import { test } from "node:test";
import { auditLine, isAudited, type AuditTrail } from "./audit.ts";
import type { User } from "./context.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { parseRequest } from "./request-info.ts";

const user = (name: string, ...groups: string[]): User => ({ name, uid: "", groups, extra: { "authentication.kubernetes.io/credential-id": ["X509SHA256=ab"] } });
const alice = user("alice", "dev");
const node = user("system:node:a", "system:nodes");

test("writes, secrets, acting as somebody else and refusals are kept; reads and heartbeats are not", () => {
  const kept = (method: string, target: string, trail: Omit<AuditTrail, "auditId"> = { user: alice }, status = 200) => isAudited(parseRequest(method, target), trail, status);
  const table: [boolean, Parameters<typeof kept>][] = [
    [true, ["POST", "/api/v1/namespaces/x/pods"]], [true, ["DELETE", "/apis/apps/v1/namespaces/x/deployments/web"]], [true, ["POST", "/api/v1/namespaces/x/pods/p/exec?command=sh"]],
    [false, ["GET", "/api/v1/pods"]], [true, ["GET", "/api/v1/secrets"]], [false, ["GET", "/api/v1/namespaces/x/secrets/s", { user: node }]], [true, ["POST", "/api/v1/namespaces/x/serviceaccounts/a/token", { user: node }, 201]],
    [true, ["GET", "/api/v1/pods", { user: alice, impersonated: user("bob") }]], [true, ["GET", "/api/v1/pods", { user: alice }, 403]], [true, ["GET", "/metrics", {}, 401]], [false, ["GET", "/livez"]],
    [false, ["PUT", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/a", { user: node }]], [false, ["PATCH", "/api/v1/nodes/a/status", { user: node }]], [true, ["PATCH", "/api/v1/nodes/a/status"]],
    [false, ["POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"]], [false, ["POST", "/api/v1/namespaces/x/events"]],
  ];
  for (const [expected, call] of table) assert.equal(kept(...call), expected, call.slice(0, 2).join(" "));
});

function line(method: string, target: string, response: HttpResponse, trail: Omit<AuditTrail, "auditId"> = { user: alice }) {
  const request: HttpRequest = { method, target, headers: { "user-agent": "kubectl", authorization: "Bearer hunter2" }, body: async () => new TextEncoder().encode("hunter2"), peer: { address: "192.0.2.7" }, upgrade: false, signal: new AbortController().signal };
  const text = auditLine({ request, info: parseRequest(method, target), trail: { auditId: "id", ...trail }, response, receivedMs: 0, nowMs: 1.5 });
  assert.ok(!text.includes("\n") && !text.includes("hunter2"), text);
  return JSON.parse(text);
}
const answered = (status: number, body: object): HttpResponse => ({ status, headers: {}, content: { type: "text", text: JSON.stringify(body) } });

test("an event is upstream's, with how the caller was authenticated and why it was allowed", () => {
  assert.deepEqual(line("POST", "/apis/apps/v1/namespaces/x/deployments?fieldManager=kubectl", answered(201, { metadata: { name: "web" } }), { user: alice, impersonated: user("bob"), decision: { allowed: true, reason: "RBAC: x" } }), {
    kind: "Event", apiVersion: "audit.k8s.io/v1", level: "Metadata", auditID: "id", stage: "ResponseComplete", requestURI: "/apis/apps/v1/namespaces/x/deployments?fieldManager=kubectl", verb: "create",
    user: { username: "alice", groups: ["dev"], extra: { "authentication.kubernetes.io/credential-id": ["X509SHA256=ab"] } }, impersonatedUser: { username: "bob", groups: [], extra: { "authentication.kubernetes.io/credential-id": ["X509SHA256=ab"] } },
    sourceIPs: ["192.0.2.7"], userAgent: "kubectl", objectRef: { resource: "deployments", namespace: "x", name: "web", apiGroup: "apps", apiVersion: "v1" }, responseStatus: { metadata: {}, code: 201 },
    requestReceivedTimestamp: "1970-01-01T00:00:00.000000Z", stageTimestamp: "1970-01-01T00:00:00.001500Z", annotations: { "authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "RBAC: x" },
  });
});

test("a refusal says why, a stream that it began, and no value of an unknown parameter is written", () => {
  const { responseStatus, user: who } = line("GET", "/api/v1/pods", answered(401, { status: "Failure", reason: "Unauthorized", message: "Unauthorized" }), {});
  assert.deepEqual([responseStatus, who], [{ metadata: {}, code: 401, status: "Failure", reason: "Unauthorized", message: "Unauthorized" }, {}]);
  const exec = line("POST", "/api/v1/namespaces/x/pods/p/exec?command=login&command=hunter2&access_token=hunter2&tty=true", { status: 101, headers: {}, content: { type: "stream", run: async () => {} } });
  assert.deepEqual([exec.stage, exec.requestURI], ["ResponseStarted", "/api/v1/namespaces/x/pods/p/exec?command=[redacted]&command=[redacted]&access_token=[redacted]&tty=true"]);
});
