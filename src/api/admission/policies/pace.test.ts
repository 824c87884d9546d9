/** What policies and conditions may use up, and that others have their turn while they do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness } from "../../../../test/transcripts/harness.ts";
import { celHost } from "../../../host/regex.ts";
import { celWith } from "../../cel-library.ts";
import { Pace, stepCost } from "../../pace.ts";

const admission = "/apis/admissionregistration.k8s.io/v1", configmaps = "/api/v1/namespaces/default/configmaps";
const matchConstraints = { resourceRules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }] };
/** True after some 700,000 units of cost; each is another text. */
const costly = (i: number): string => `lists.range(100000).all(x, x >= -${i})`;
const list = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** A server with one policy or webhook configuration; what creating a ConfigMap is told, and how many turns others had meanwhile. */
async function asked(sort: string, object: any): Promise<{ readonly said: string; readonly turns: number }> {
  let turns = 0;
  const harness = await startHarness({ loadCel: async () => celWith(celHost), postJson: async () => { throw new Error("nobody is called"); }, defer: work => { turns++; setImmediate(work); } });
  const send = async (target: string, body: object): Promise<{ readonly status: number; readonly body: any }> => {
    const answer = await harness.send("POST", target, { headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    return { status: answer.status, body: JSON.parse(String(await bodyOf(answer))) };
  };
  await send("/api/v1/namespaces", { metadata: { name: "default" } });
  for (const binding of ["validating", "mutating"]) await send(`${admission}/${binding}admissionpolicybindings`, { metadata: { name: "b" }, spec: { policyName: "p", ...(binding === "validating" ? { validationActions: ["Deny"] } : {}) } });
  const made = await send(`${admission}/${sort}`, { metadata: { name: "p" }, ...object });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const before = turns;
  const { status, body } = await send(configmaps, { metadata: { name: "a" } });
  await harness.close();
  return { said: status === 201 ? "" : body.message, turns: turns - before };
}

const outOfBudget = "validation failed due to running out of cost budget, no further validation rules will be run";
const policies: readonly (readonly [string, string, object, string, number])[] = [
  ["rules", "validatingadmissionpolicies", { validations: list(10, i => ({ expression: costly(i) })) }, "", 9],
  ["more rules than may run", "validatingadmissionpolicies", { validations: list(20, i => ({ expression: costly(i) })) }, `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ${outOfBudget}`, 14],
  ["variables of one rule", "validatingadmissionpolicies", { variables: list(8, i => ({ name: `v${i}`, expression: costly(i) })), validations: [{ expression: list(8, i => `variables.v${i}`).join(" && ") }] }, "", 7],
  ["variables of variables", "validatingadmissionpolicies", { variables: list(8, i => ({ name: `v${i}`, expression: i === 0 ? costly(0) : `variables.v${i - 1} && ${costly(i)}` })), validations: [{ expression: "variables.v7 && variables.v0" }] }, "", 7],
  ["conditions", "validatingadmissionpolicies", { matchConditions: list(5, i => ({ name: `c${i}`, expression: costly(i) })), validations: [{ expression: "false" }] }, `configmaps "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ${outOfBudget}`, 3],
  ["mutations", "mutatingadmissionpolicies", { failurePolicy: "Fail", reinvocationPolicy: "Never", mutations: list(6, i => ({ patchType: "JSONPatch", jsonPatch: { expression: `${costly(i)} ? [] : [JSONPatch{}]` } })) }, "", 5],
];
for (const [name, sort, spec, said, turns] of policies) test(`a policy with costly ${name} leaves turns to others`, async () => {
  const found = await asked(sort, { spec: { matchConstraints, ...spec } });
  assert.equal(found.said, said);
  assert.ok(found.turns >= turns && found.turns <= 2 * turns + 2, `${found.turns} turns`);
});

test("the conditions of a webhook may use up as little", async () => {
  const hook = { name: "h.example.com", sideEffects: "None", admissionReviewVersions: ["v1"], clientConfig: { url: "https://h.example.com/" }, rules: matchConstraints.resourceRules, matchConditions: list(5, i => ({ name: `c${i}`, expression: costly(i) })) };
  const { said, turns } = await asked("validatingwebhookconfigurations", { webhooks: [hook] });
  assert.equal(said, `configmaps "a" is forbidden: ${outOfBudget}`);
  assert.ok(turns >= 3, `${turns} turns`);
});

test("what is cheap goes on at once, and costs add up over requests", async () => {
  let turns = 0;
  const pace = new Pace(async () => void turns++);
  pace.spend(stepCost - 1);
  assert.equal(pace.isTired, false);
  pace.spend(1);
  assert.equal(pace.isTired, true);
  await pace.rest();
  assert.deepEqual([turns, pace.isTired], [1, false]);
});
