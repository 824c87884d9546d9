import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness } from "../../test/transcripts/harness.ts";

const json = { "content-type": "application/json" };
const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
const containers = [{ name: "c", image: "i" }];
async function start() {
  const harness = await startHarness();
  const send = async (method: string, path: string, accept = "", body?: unknown) => {
    const answer = await harness.send(method, path, { headers: { ...json, ...(accept === "" ? {} : { accept }) }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = String(await bodyOf(answer));
    return { ...answer, text, object: text.startsWith("{") ? JSON.parse(text) : undefined };
  };
  await send("POST", "/api/v1/namespaces", "", { metadata: { name: "default" } });
  return { harness, send };
}

test("tables: rows that are done say so, flow schemas come in their order, addresses have an age that is not announced", async () => {
  const { harness, send } = await start();
  await send("POST", "/api/v1/namespaces/default/pods", "", { metadata: { name: "p" }, spec: { containers } });
  await harness.send("PATCH", "/api/v1/namespaces/default/pods/p/status", { headers: { "content-type": "application/merge-patch+json" }, body: JSON.stringify({ status: { phase: "Failed" } }) });
  const [row] = (await send("GET", "/api/v1/namespaces/default/pods", table)).object.rows;
  assert.deepEqual([Object.keys(row), row.conditions[0].reason], [["cells", "conditions", "object"], "Failed"]);
  const flow = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";
  for (const [name, matchingPrecedence] of [["a", 900], ["z", 7]] as const) await send("POST", flow, "", { metadata: { name }, spec: { matchingPrecedence, priorityLevelConfiguration: { name: "x" } } });
  assert.deepEqual((await send("GET", flow, table)).object.rows.map(({ cells }: any) => cells[0]).filter((name: string) => name.length === 1), ["z", "a"]);
  await send("POST", "/apis/networking.k8s.io/v1/ipaddresses", "", { metadata: { name: "10.1.1.1" }, spec: { parentRef: { resource: "services", name: "s", namespace: "default" } } });
  const addresses = (await send("GET", "/apis/networking.k8s.io/v1/ipaddresses/10.1.1.1", table)).object;
  assert.deepEqual([addresses.columnDefinitions.length, addresses.rows[0].cells.length], [2, 3]);
  assert.equal((await send("GET", `${flow}?watch=1&timeoutSeconds=1`, "application/json;stream=watch")).headers["content-type"], "application/json");
  await harness.close();
});

test("subresources: a scale has columns of its own, what is only written cannot be read, a view without columns is no table, HEAD is not served", async () => {
  const { harness, send } = await start();
  await send("POST", "/apis/apps/v1/namespaces/default/deployments", "", { metadata: { name: "d" }, spec: { replicas: 3, selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers } } } });
  await send("POST", "/api/v1/namespaces/default/pods", "", { metadata: { name: "p" }, spec: { containers } });
  const scale = "/apis/apps/v1/namespaces/default/deployments/d/scale";
  assert.deepEqual((await send("GET", scale, table)).object.rows[0].cells.slice(0, 3), ["d", 3, 0]);
  assert.equal((await send("GET", scale, "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io")).object.spec, undefined);
  assert.equal((await send("GET", scale, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")).object.message, "you requested PartialObjectMetadataList, but the requested object is not a list (*autoscaling.Scale)");
  const statuses = await Promise.all([["GET", "/api/v1/namespaces/default/pods/p/resize", table], ["GET", "/api/v1/namespaces/default/pods/p/resize"], ["GET", "/api/v1/namespaces/default/finalize"], ["HEAD", "/api/v1/namespaces/default"], ["HEAD", "/api/v1/pods"]].map(async ([method = "", path = "", accept = ""]) => (await send(method, path, accept)).status));
  assert.deepEqual(statuses, [406, 200, 405, 405, 405]);
  await harness.close();
});

test("YAML is YAML, indented JSON ends without a new line, discovery comes in protobuf, too", async () => {
  const { harness, send } = await start();
  assert.equal((await send("GET", "/apis/apps", "application/yaml")).text, "apiVersion: v1\nkind: APIGroup\nname: apps\npreferredVersion:\n  groupVersion: apps/v1\n  version: v1\nversions:\n- groupVersion: apps/v1\n  version: v1\n");
  assert.match((await send("GET", "/api/v1/namespaces?limit=1", "application/yaml")).text, /^apiVersion: v1\nitems:\n- metadata:\n/);
  assert.match((await send("GET", "/api/v1/namespaces/none", "application/yaml")).text, /^apiVersion: v1\ncode: 404\n/);
  for (const path of ["/version", "/", "/api?pretty=1", "/api/v1/namespaces/default?pretty=true"]) assert.match((await send("GET", path)).text, /^\{\n {2}".*\}$/s);
  // Path and Accept → status, type
  const protobuf = "application/vnd.kubernetes.protobuf", aggregated = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const wanted = [
    ["/apis", protobuf, 200, protobuf], ["/apis/apps", protobuf, 200, protobuf], ["/apis/apps/v1", protobuf, 200, protobuf], ["/api", protobuf, 200, protobuf], ["/apis", protobuf + aggregated, 200, protobuf + aggregated],
    ["/apis", `application/yaml${aggregated}`, 200, `application/yaml${aggregated}`], ["/version", protobuf, 406, protobuf], ["/version", "text/plain", 406, "application/json"], ["/", "text/plain", 200, "application/json"], ["/openapi/v3", "text/plain", 200, "text/plain; charset=utf-8"],
    ["/apis/apps", table, 406, "application/json"], ["/apis/apps/v1", "application/*", 406, "application/json"], ["/apis/apps", "application/*", 200, "application/json"],
  ] as const;
  assert.deepEqual(await Promise.all(wanted.map(async ([path, accept]) => { const { status, headers } = await send("GET", path, accept); return [path, accept, status, headers["content-type"]]; })), wanted);
  await harness.close();
});

test("lists: what each version may select by, tokens of a namespace, versions that are not there, lists at any version", async () => {
  const { harness, send } = await start();
  const maps = "/api/v1/namespaces/default/configmaps";
  for (const name of ["a", "b"]) await send("POST", maps, "", { metadata: { name } });
  const said = async (path: string) => { const { status, object } = await send("GET", path); return [status, object.message ?? object.items.length]; };
  const token = (start: string, rv: unknown = 1): string => Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv, start })).toString("base64url");
  const invalid = "invalid continue token: continue key is not valid";
  const wanted = [
    ["/api/v1/events?fieldSelector=regarding.kind%3Dx", 400, "field label not supported: regarding.kind"], ["/api/v1/events?fieldSelector=involvedObject.kind%3Dx", 200, 0],
    ["/apis/events.k8s.io/v1/events?fieldSelector=regarding.kind%3Dx", 200, 0], ["/apis/events.k8s.io/v1/events?fieldSelector=source%3Dx", 400, "field label not supported: source"],
    ["/apis/batch/v1/jobs?fieldSelector=a%3Dx", 400, 'field label "a" not supported for Job'], ["/apis/resource.k8s.io/v1/resourceslices?fieldSelector=a%3Dx", 400, "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: a"],
    ["/api/v1/pods?fieldSelector=status.podIPs%3Dx", 200, 0], ["/api/v1/pods?fieldSelector=spec.host%3Dx", 200, 0],
    [`${maps}?continue=${token("a\0", -1)}`, 200, 1], [`${maps}?continue=${token("a\0", 99_999)}`, 504, "Timeout: Too large resource version: 99999, current: 4"],
    [`${maps}?continue=${token("a", "x")}`, 400, `${invalid}: json: cannot unmarshal string into Go struct field continueToken.rv of type int64`], [`${maps}?continue=W10`, 400, `${invalid}: json: cannot unmarshal array into Go value of type storage.continueToken`],
    [`${maps}?continue=${token("a\0", -1)}&resourceVersion=1`, 400, "specifying resource version is not allowed when using continue"],
    [`${maps}?resourceVersion=99999&resourceVersionMatch=Exact`, 504, "Timeout: Too large resource version: 99999, current: 4"],
    [`${maps}?resourceVersion=0&limit=1`, 200, 2], [`${maps}?limit=1`, 200, 1], [`${maps}?limit=1;a=b`, 200, 2], [`${maps}?limit=`, 400, 'strconv.ParseInt: parsing "": invalid syntax'], [`${maps}?limit=99999999999999999999`, 400, 'strconv.ParseInt: parsing "99999999999999999999": value out of range'],
    [`${maps}?watch=1&continue=x`, 422, 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided'],
  ] as const;
  assert.deepEqual(await Promise.all(wanted.map(async ([path]) => [path, ...await said(path)])), wanted);
  assert.deepEqual((await send("GET", "/api/v1/componentstatuses")).object.metadata, {});
  await harness.close();
});

test("a PUT that names the cluster address alone keeps the list of them, changed or not", async () => {
  const { harness, send } = await start();
  const services = "/api/v1/namespaces/default/services";
  const service = (spec: object) => ({ apiVersion: "v1", kind: "Service", metadata: { name: "s" }, spec: { ports: [{ port: 80 }], selector: { a: "b" }, ...spec } });
  await send("POST", services, "", service({ clusterIP: "None" }));
  const put = async (spec: object) => { const { status, object } = await send("PUT", `${services}/s`, "", service(spec)); return [status, object.spec?.clusterIPs ?? object.message]; };
  assert.deepEqual([await put({ clusterIP: "None" }), await put({}), await put({ clusterIPs: ["None"] })], [[200, ["None"]], [200, ["None"]], [200, ["None"]]]);
  assert.equal((await put({ clusterIP: "10.96.0.77" }))[0], 422);
  await harness.close();
});

test("patches that are none are refused in upstream's words", async () => {
  const { harness } = await start();
  const said = async (type: string, body: string, query = "") => {
    const answer = await harness.send("PATCH", `/api/v1/namespaces/default${query}`, { headers: { "content-type": `application/${type}` }, body });
    return [answer.status, JSON.parse(String(await bodyOf(answer))).message];
  };
  const [json, strategic, apply] = ["json-patch+json", "strategic-merge-patch+json", "apply-patch+yaml"];
  assert.deepEqual(await Promise.all([said(json, "{}"), said(json, "{}", "?fieldValidation=Ignore"), said(strategic, "{"), said("merge-patch+json", "{"), said(apply, "[]", "?fieldManager=x"), said(apply, "", "?fieldManager=x"), said(apply, "5", "?fieldManager=x")]), [
    [400, "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"], [400, "json: cannot unmarshal object into Go value of type jsonpatch.Patch"],
    [400, "unexpected end of JSON input"], [400, "error decoding patch: unexpected end of JSON input"],
    [400, "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}"], [400, "invalid object type: /, Kind="],
    [400, "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal number into Go value of type map[string]interface {}"],
  ]);
  assert.equal((await said(json, "null"))[0], 200);
  await harness.close();
});

test("who is answered where nothing is: methods before forms, places before methods, as upstream's router", async () => {
  const { harness, send } = await start();
  await send("POST", "/api/v1/namespaces/default/configmaps", "", { metadata: { name: "c" } });
  const [nowhere, noMethod] = ["the server could not find the requested resource", "the server does not allow this method on the requested resource"];
  const [pods, log] = ["/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/pods/none/log"];
  for (const [method, path, accept, code, message] of [
    ["PUT", "/api/v1/configmaps", "", 405, noMethod], ["PATCH", "/apis/apps/v1/deployments", "", 405, noMethod], ["POST", "/api/v1/configmaps/x", "", 404, nowhere], ["HEAD", `${pods}/p/none`, "", 404, nowhere], ["GET", `${pods}/p/status/more`, "", 404, nowhere], ["PUT", `${pods}/p/status/%20`, "", 404, nowhere],
    ["GET", "/api/v1/namespaces/default/configmaps/c//x", "", 404, nowhere], ["GET", `/api/v1/watch/namespaces/default/pods/none/log`, "", 404, nowhere], ["HEAD", "/apis/authentication.k8s.io/v1/tokenreviews/x", "", 404, nowhere],
    ["TRACE", `${pods}/none/proxy`, "", 405, noMethod], ["GET", `${pods}/none/proxy`, "", 404, 'pods "none" not found'], ["POST", `${pods}/none/proxy/x?dryRun=All`, "", 400, "dryRun is not supported"], ["POST", `${pods}/none/exec?dryRun=All`, "", 400, "dryRun is not supported"], ["PUT", `${pods}/none/exec`, "", 405, noMethod],
    ["POST", "/version", "text/html", 405, noMethod], ["POST", "/api", "text/html", 405, noMethod], ["POST", "/apis/apps//", "", 405, noMethod], ["GET", "/apis//", "", 404, "404 page not found\n"],
    ["GET", log, "text/html", 406, "406: Not Acceptable\n\nAvailable representations: text/plain, application/json, application/yaml, application/vnd.kubernetes.protobuf"], ["GET", log, "text/plain", 406, "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf"], ["GET", log, "*/*", 404, 'pods "none" not found'],
    ["GET", "/api/v1/namespaces/default?export=1", "", 400, "the export parameter, deprecated since v1.14, is no longer supported"], ["GET", "/api/v1/namespaces/default?export=false", "", 200, undefined],
    ["PATCH", "/apis/apps/v1/namespaces/default/deployments/none/scale", "", 415, "415: Unsupported Media Type"], ["POST", `${pods}/none/eviction`, "", 400, "name in URL does not match name in Eviction object"],
    ["GET", "/openid/v1/jwks/x", "", 404, nowhere], ["GET", "/openid/v1/jwks", "application/json", 406, "406: Not Acceptable\n\nAvailable representations: application/jwk-set+json"], ["GET", "/.well-known/openid-configuration", "text/html", 406, "406: Not Acceptable\n\nAvailable representations: application/json"],
  ] as const) {
    const { status, object, text } = await send(method, path, accept, ["POST", "PUT", "PATCH"].includes(method) ? {} : undefined);
    assert.deepEqual([status, object === undefined ? text : object.message], [code, message], `${method} ${path} ${accept}`);
  }
  const { headers } = await send("GET", "/api/v1/componentstatuses", `${table.replace("Table", "Nope")}`);
  assert.deepEqual(headers.warning, ['299 - "v1 ComponentStatus is deprecated in v1.19+"'], "told before the form is refused");
  await harness.close();
});

test("selectors are read before options are judged, and which objects before how they are deleted", async () => {
  const { harness, send } = await start();
  const path = "/api/v1/namespaces/default/configmaps";
  const said = async (method: string, query: string, body?: object) => { const { status, object } = await send(method, path + query, "", body); return [status, object.message]; };
  const bad = "unable to parse requirement: found '', expected: ',', ')' or identifier";
  assert.deepEqual(await said("GET", "?sendInitialEvents=true&labelSelector=a%20notin%20("), [400, bad]);
  assert.deepEqual(await said("DELETE", "?labelSelector=a%20notin%20(", { propagationPolicy: "x" }), [400, bad]);
  assert.deepEqual(await said("DELETE", "?sendInitialEvents=true", { dryRun: ["x"] }), [422, 'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list']);
  assert.equal((await send("POST", path, "", { metadata: { name: "kept" } })).status, 201);
  assert.equal((await send("DELETE", `${path}?fieldSelector=metadata.name%3Dkept`, "", { preconditions: { resourceVersion: "1" } })).status, 409);
  await harness.close();
});
