import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../base/api-error.ts";
import { isSafeSegment, parseRequest } from "./request-info.ts";

// method, target → verb group/version namespace resource name subresource rest
const cases = [
  ["GET", "/api/v1/pods", "list /v1 - pods - - "],
  ["GET", "/api/v1/pods?watch=true", "watch /v1 - pods - - "],
  ["GET", "/api/v1/pods?watch=0", "list /v1 - pods - - "],
  ["GET", "/api/v1/pods?watch=False", "list /v1 - pods - - "],
  ["GET", "/api/v1/pods?watch=F", "watch /v1 - pods - - "],
  ["GET", "/api/v1/pods?watch=1;limit=1", "list /v1 - pods - - "],
  ["GET", "/api/v1/pods?a=%zz&watch", "watch /v1 - pods - - "],
  ["GET", "/api/v1/namespaces/default/pods", "list /v1 default pods - - "],
  ["GET", "/api/v1/namespaces/default/pods/", "list /v1 default pods - - "],
  ["GET", "/api/v1/namespaces/default/pods/web", "get /v1 default pods web - "],
  ["GET", "/api/v1/namespaces/default/pods/web?watch=1", "get /v1 default pods web - "],
  ["PUT", "/api/v1/namespaces/default/pods/web/status", "update /v1 default pods web status "],
  ["GET", "/api/v1/namespaces/default", "get /v1 default namespaces default - "],
  ["PUT", "/api/v1/namespaces/default/finalize", "update /v1 default namespaces default finalize "],
  ["GET", "/api/v1/namespaces", "list /v1 - namespaces - - "],
  ["POST", "/apis/apps/v1/namespaces/a/deployments", "create apps/v1 a deployments - - "],
  ["DELETE", "/apis/apps/v1/namespaces/a/deployments", "deletecollection apps/v1 a deployments - - "],
  ["DELETE", "/apis/apps/v1/namespaces/a/deployments/d", "delete apps/v1 a deployments d - "],
  ["PATCH", "/apis/apps/v1/namespaces/a/deployments/d/scale", "patch apps/v1 a deployments d scale "],
  ["GET", "/api/v1/watch/namespaces/a/pods/web", "watch /v1 a pods web - "],
  ["GET", "/api/v1/watch/pods", "watch /v1 - pods - - "],
  ["GET", "/api/v1/proxy/nodes/x/a", "proxy /v1 - nodes x a "],
  ["GET", "/api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dweb", "list /v1 a pods web - "],
  ["GET", "/api/v1/namespaces/a/services/https:web:443/proxy/x/..%2Fy?q=1", "get /v1 a services https:web:443 proxy /x/..%2Fy"],
  ["GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode", "get rbac.authorization.k8s.io/v1 - clusterroles system:node - "],
] as const;

for (const [method, target, expected] of cases)
  test(`${method} ${target} is ${expected}`, () => {
    const { verb, group, version, namespace, resource, name, subresource, rest, resourceRequest } = parseRequest(method, target);
    assert.equal(resourceRequest, true);
    const dash = (text: string): string => (text === "" ? "-" : text);
    assert.equal(`${verb} ${group}/${version} ${dash(namespace)} ${resource} ${dash(name)} ${dash(subresource)} ${rest}`, expected);
  });

for (const target of ["/", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1", "/healthz", "/version", "/openapi/v3/apis/apps/v1"])
  test(`${target} names no resource`, () => {
    const { resourceRequest, verb, path } = parseRequest("GET", target);
    assert.deepEqual([resourceRequest, verb, path], [false, "get", target]);
  });

for (const target of ["/api/v1/pods/..", "/api/v1/namespaces/../pods", "/api/v1/namespaces/a%2Fb/pods", "/api/v1/pods/%zz", "/api/v1/pods/a%00b", "nothing", `/${"x".repeat(70_000)}`])
  test(`${target.slice(0, 40)} is refused before anything else`, () => {
    assert.throws(() => parseRequest("GET", target), error => isApiError(error, "BadRequest"));
  });

test("a segment that could leave its store prefix is never safe", () => {
  assert.deepEqual(["a", "a.b", "system:node", "A_b", ".", "..", "a/b", "a%b", "a\u0000", ""].map(isSafeSegment), [true, true, true, true, false, false, false, false, false, true]);
});
