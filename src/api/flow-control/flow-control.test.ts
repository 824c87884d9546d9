import assert from "node:assert/strict";
import { test } from "node:test";
import { settle, startHarness, type Harness } from "../../../test/transcripts/harness.ts";
import type { HttpResponse } from "../http.ts";
import { ensureFlowControl, revised } from "./keeper.ts";

const json = { "content-type": "application/json" };
const group = "/apis/flowcontrol.apiserver.k8s.io/v1";
const allowAll = () => ({ authorize: () => ({ allowed: true }), rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }) });
const textOf = ({ content }: HttpResponse): string => (content.type === "text" ? content.text : content.type === "pieces" ? [...content.pieces].join("") : "");
const bodyOf = async (response: Promise<HttpResponse>): Promise<any> => JSON.parse(textOf(await response));
const signal = new AbortController().signal;

async function start(more: Parameters<typeof startHarness>[0] = {}): Promise<Harness> {
  const harness = await startHarness({ authorizer: allowAll, ...more });
  await harness.send("POST", "/api/v1/namespaces", { headers: json, body: '{"metadata":{"name":"default"}}' });
  await ensureFlowControl(harness.api.core, signal);
  return harness;
}
const post = (harness: Harness, target: string, body: unknown): Promise<HttpResponse> => harness.send("POST", target, { headers: json, body: JSON.stringify(body) });
const spec = (more: object) => ({ type: "Limited", limited: { nominalConcurrencyShares: 1, limitResponse: { type: "Reject" }, ...more } });

test("the mandatory and suggested objects are made once, say whether their level exists, and carry their managers", async () => {
  const harness = await start();
  const levels = await bodyOf(harness.send("GET", `${group}/prioritylevelconfigurations`));
  assert.deepEqual(levels.items.map(({ metadata }: any) => metadata.name), ["catch-all", "exempt", "global-default", "leader-election", "node-high", "system", "workload-high", "workload-low"]);
  const schemas = await bodyOf(harness.send("GET", `${group}/flowschemas`));
  assert.deepEqual(schemas.items.map(({ metadata, status, spec: { matchingPrecedence } }: any) => [metadata.name, matchingPrecedence, status.conditions[0].type, status.conditions[0].status, status.conditions[0].reason]), [
    ["catch-all", 10_000], ["exempt", 1], ["global-default", 9900], ["kube-controller-manager", 800], ["kube-scheduler", 800], ["kube-system-service-accounts", 900],
    ["probes", 2], ["service-accounts", 9000], ["system-leader-election", 100], ["system-node-high", 400], ["system-nodes", 500],
  ].map(each => [...each, "Dangling", "False", "Found"]));
  assert.deepEqual(schemas.items[0].metadata.managedFields.map(({ manager, operation, subresource }: any) => [manager, operation, subresource]), [
    ["api-priority-and-fairness-config-consumer-v1", "Apply", "status"], ["api-priority-and-fairness-config-producer-v1", "Update", undefined],
  ]);
  const { revision } = harness.store;
  await ensureFlowControl(harness.api.core, signal);
  assert.equal(harness.store.revision, revision, "nothing is written when nothing is missing");
  await harness.close();
});

test("what was deleted comes back; what an administrator changed stays; what is mandatory cannot be changed; what is no longer suggested goes", async () => {
  const harness = await start();
  const patch = (name: string, body: object) => harness.send("PATCH", `${group}/prioritylevelconfigurations/${name}`, { headers: { "content-type": "application/merge-patch+json" }, body: JSON.stringify(body) });
  const shares = (nominalConcurrencyShares: number) => ({ spec: { limited: { nominalConcurrencyShares } } });
  await harness.send("DELETE", `${group}/flowschemas/probes`);
  await patch("system", shares(77));
  await patch("workload-low", { ...shares(78), metadata: { annotations: { "apf.kubernetes.io/autoupdate-spec": "false" } } });
  await patch("node-high", { ...shares(79), metadata: { annotations: { "apf.kubernetes.io/autoupdate-spec": null } } });
  const told = async (kind: string, name: string, body: object): Promise<string> => (await bodyOf(harness.send("PATCH", `${group}/${kind}/${name}`, { headers: { "content-type": "application/merge-patch+json" }, body: JSON.stringify(body) }))).message;
  assert.equal(await told("prioritylevelconfigurations", "catch-all", shares(80)), 'PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io "catch-all" is invalid: spec: Invalid value: {"Type":"Limited","Limited":{"NominalConcurrencyShares":80,"LimitResponse":{"Type":"Reject","Queuing":null},"LendablePercent":0,"BorrowingLimitPercent":null},"Exempt":null}: spec of \'catch-all\' must equal the fixed value');
  assert.match(await told("prioritylevelconfigurations", "exempt", { spec: { type: "Limited", exempt: null } }), /spec of 'exempt' except the 'spec.exempt' field must equal the fixed value\]$/);
  assert.match(await told("flowschemas", "exempt", { spec: { matchingPrecedence: 5 } }), /^FlowSchema\.flowcontrol\.apiserver\.k8s\.io "exempt" is invalid: spec: Invalid value: \{"PriorityLevelConfiguration":\{"Name":"exempt"\},"MatchingPrecedence":5,"DistinguisherMethod":null,"Rules":.*: spec of 'exempt' must equal the fixed value$/);
  await patch("exempt", { spec: { exempt: { nominalConcurrencyShares: 9 } } });
  await post(harness, `${group}/prioritylevelconfigurations`, { metadata: { name: "of-an-old-version", annotations: { "apf.kubernetes.io/autoupdate-spec": "true" } }, spec: spec({}) });
  await post(harness, `${group}/prioritylevelconfigurations`, { metadata: { name: "mine" }, spec: spec({}) });
  await ensureFlowControl(harness.api.core, signal);
  assert.equal((await harness.send("GET", `${group}/flowschemas/probes`)).status, 200);
  const levels = await bodyOf(harness.send("GET", `${group}/prioritylevelconfigurations`));
  assert.deepEqual(levels.items.map(({ metadata, spec: { limited, exempt } }: any) => [metadata.name, (limited ?? exempt).nominalConcurrencyShares, metadata.annotations?.["apf.kubernetes.io/autoupdate-spec"]]), [
    ["catch-all", 5, "true"], ["exempt", 9, "true"], ["global-default", 20, "true"], ["leader-election", 10, "true"], ["mine", 1, undefined],
    ["node-high", 79, "false"], ["system", 30, "true"], ["workload-high", 40, "true"], ["workload-low", 78, "false"],
  ]);
  await harness.close();
});

test("every classified answer names its schema and level by uid, refusals by the authorizer too; exec and its like are not classified", async () => {
  const harness = await start({ authorizer: () => ({ ...allowAll(), authorize: (_, { resource }) => ({ allowed: resource !== "secrets" }) }) });
  const uid = async (path: string) => (await bodyOf(harness.send("GET", `${group}/${path}`))).metadata.uid;
  const headers = async (target: string, user?: string) => {
    const response = await harness.send("GET", target, user === undefined ? {} : { user });
    return [response.status, response.headers["x-kubernetes-pf-flowschema-uid"], response.headers["x-kubernetes-pf-prioritylevel-uid"]];
  };
  const alice = [await uid("flowschemas/global-default"), await uid("prioritylevelconfigurations/global-default")];
  assert.deepEqual(await headers("/api/v1/pods", "alice"), [200, ...alice]);
  assert.deepEqual(await headers("/api/v1/secrets", "alice"), [403, ...alice]);
  assert.deepEqual(await headers("/api/v1/namespaces/default/pods/none", "alice"), [404, ...alice]);
  assert.deepEqual(await headers("/readyz"), [200, await uid("flowschemas/exempt"), await uid("prioritylevelconfigurations/exempt")]);
  assert.deepEqual((await headers("/api/v1/namespaces/default/pods/none/exec?command=x", "alice")).slice(1), [undefined, undefined]);
  await harness.close();
});

test("a full level refuses with 429 and Retry-After while others are served; tables and figures tell", async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>(resolve => (release = resolve));
  const harness = await start({ admission: [{ name: "Wait", mutate: ({ name }) => (name.startsWith("slow") ? held : undefined) }] });
  await post(harness, `${group}/prioritylevelconfigurations`, { metadata: { name: "tiny" }, spec: spec({ borrowingLimitPercent: 0 }) });
  await post(harness, `${group}/flowschemas`, { metadata: { name: "mallory" }, spec: { matchingPrecedence: 50, priorityLevelConfiguration: { name: "tiny" }, rules: [{ subjects: [{ kind: "User", user: { name: "mallory" } }], resourceRules: [{ verbs: ["create"], apiGroups: ["*"], resources: ["configmaps"], namespaces: ["*"] }] }] } });
  const write = (user: string, name: string) => harness.send("POST", "/api/v1/namespaces/default/configmaps", { user, headers: json, body: JSON.stringify({ metadata: { name } }) });
  const slow = Array.from({ length: 6 }, (_, i) => write("mallory", `slow-${i}`));
  await settle();
  const table = textOf(await harness.send("GET", "/debug/api_priority_and_fairness/dump_requests?includeRequestDetails=1"));
  assert.deepEqual(table.split("\n").filter(line => line.startsWith("tiny")).map(line => line.split(/, */).filter((_, i) => ![5, 9].includes(i))), Array(3).fill(["tiny", "mallory", "-1", "-1", "", "1", "0", "0s", "mallory", "create", "/api/v1/namespaces/default/configmaps", "default", "", "v1", "configmaps", ""]));
  assert.equal((await write("alice", "quick")).status, 201);
  release();
  const refused = (await Promise.all(slow)).filter(({ status }) => status === 429);
  assert.deepEqual(refused.map(response => [textOf(response), response.headers["retry-after"]]), Array(3).fill(["Too many requests, please try again later.\n", "1"]));
  assert.match(textOf(await harness.send("GET", "/debug/api_priority_and_fairness/dump_priority_levels")), /\ntiny, +0, +true, +false, +0, +0, +3, +3, +0, +0\n/);
  const metrics = textOf(await harness.send("GET", "/metrics"));
  assert.match(metrics, /apiserver_flowcontrol_rejected_requests_total\{priority_level="tiny",flow_schema="mallory",reason="concurrency-limit"\} 3/);
  assert.match(metrics, /apiserver_flowcontrol_dispatched_requests_total\{priority_level="tiny",flow_schema="mallory"\} 3/);
  await harness.close();
});

test("requests wait in their queue, run in turn, and give up after a quarter of their time", async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>(resolve => (release = resolve));
  const harness = await start({ admission: [{ name: "Wait", mutate: ({ name }) => (name.startsWith("slow") ? held : undefined) }] });
  await post(harness, `${group}/prioritylevelconfigurations`, { metadata: { name: "tiny" }, spec: spec({ borrowingLimitPercent: 0, limitResponse: { type: "Queue", queuing: { queues: 4, handSize: 2, queueLengthLimit: 10 } } }) });
  await post(harness, `${group}/flowschemas`, { metadata: { name: "mallory" }, spec: { matchingPrecedence: 50, distinguisherMethod: { type: "ByUser" }, priorityLevelConfiguration: { name: "tiny" }, rules: [{ subjects: [{ kind: "User", user: { name: "mallory" } }], resourceRules: [{ verbs: ["create"], apiGroups: ["*"], resources: ["configmaps"], namespaces: ["*"] }] }] } });
  const write = (name: string, query = "") => harness.send("POST", `/api/v1/namespaces/default/configmaps${query}`, { user: "mallory", headers: json, body: JSON.stringify({ metadata: { name } }) });
  const slow = Array.from({ length: 3 }, (_, i) => write(`slow-${i}`));
  await settle();
  const [patient, impatient] = [write("patient"), write("impatient", "?timeout=8s")];
  await settle();
  await harness.clock.advance(2_000);
  assert.equal((await impatient).status, 429);
  assert.match(textOf(await harness.send("GET", "/metrics")), /current_inqueue_requests\{priority_level="tiny",flow_schema="mallory"\} 1/);
  release();
  assert.deepEqual((await Promise.all([...slow, patient])).map(({ status }) => status), [201, 201, 201, 201]);
  await harness.close();
});

test("a schema whose level is missing says so and is not in force", async () => {
  const harness = await start();
  await post(harness, `${group}/flowschemas`, { metadata: { name: "lost" }, spec: { matchingPrecedence: 50, priorityLevelConfiguration: { name: "nowhere" }, rules: [{ subjects: [{ kind: "User", user: { name: "*" } }], nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }] }] } });
  await ensureFlowControl(harness.api.core, signal);
  const { status } = await bodyOf(harness.send("GET", `${group}/flowschemas/lost`));
  assert.deepEqual([status.conditions[0].status, status.conditions[0].reason, status.conditions[0].message], ["True", "NotFound", 'This FlowSchema references the PriorityLevelConfiguration object named "nowhere" but there is no such object']);
  const { headers } = await harness.send("GET", "/version", { user: "alice" });
  assert.notEqual(headers["x-kubernetes-pf-flowschema-uid"], undefined);
  await harness.close();
});

test("a big list keeps its seats until its last piece is taken, or its client is gone", async () => {
  const harness = await start();
  for (let i = 0; i < 6; i++) await post(harness, "/api/v1/namespaces/default/configmaps", { metadata: { name: `big-${i}` }, data: { x: "x".repeat(90_000) } });
  await harness.clock.advance(1_000);
  const inUse = async (): Promise<string> => /current_executing_seats\{priority_level="global-default",flow_schema="global-default"\} (\d+)/.exec(textOf(await harness.send("GET", "/metrics")))![1]!;
  const gone = new AbortController();
  const list = (options = {}) => harness.send("GET", "/api/v1/configmaps", { user: "alice", ...options });
  const [first, second] = [await list(), await list({ signal: gone.signal })];
  assert.equal(await inUse(), "12");
  assert.equal(JSON.parse(textOf(first)).items.length, 6);
  assert.equal(await inUse(), "6");
  gone.abort();
  assert.equal(await inUse(), "0");
  assert.equal(second.status, 200);
  await harness.close();
});

test("the order of events in one turn: what floods waits for the next one, what others send is served before", async () => {
  const turns: (() => void)[] = [];
  const harness = await start({ defer: work => void turns.push(work) });
  const turn = async (): Promise<void> => { for (const work of turns.splice(0)) work(); await settle(); };
  await turn();
  const done: string[] = [];
  const get = (user: string): Promise<unknown> => harness.send("GET", "/api/v1/namespaces/default", { user }).then(({ status }) => done.push(`${user} ${status}`));
  const all = [...Array.from({ length: 120 }, () => get("flood")), get("alice")];
  await settle();
  const inFirst = done.length;
  assert.ok(inFirst >= 24 && inFirst < 60, `${inFirst} in the first turn: the level's seats`);
  await turn();
  assert.ok(done.includes("alice 200"), "in the second turn at the latest, before most of the flood");
  assert.ok(done.length <= 2 * inFirst + 1, `${done.length}`);
  while (turns.length > 0) await turn();
  await Promise.all(all);
  assert.equal(done.length, 121);
  await harness.close();
});

test("an annotation without meaning is judged by the generation: what was never changed is ours", () => {
  const wanted = { metadata: { name: "x" }, spec: { a: 1 } };
  const stored = (generation: number, annotation?: string) => ({ metadata: { name: "x", generation, annotations: annotation === undefined ? undefined : { "apf.kubernetes.io/autoupdate-spec": annotation } }, spec: { a: 2 } });
  const result = (object: any) => [object?.spec.a, object?.metadata.annotations["apf.kubernetes.io/autoupdate-spec"]];
  assert.deepEqual([stored(1), stored(2), stored(2, "1"), stored(1, "no"), stored(3, "false")].map(each => result(revised(each, wanted, false))), [[1, "true"], [2, "false"], [1, "1"], [1, "true"], [undefined, undefined]]);
});
