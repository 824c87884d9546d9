/** Policies that are refused when they are written: the fields that are blamed, in a kube-apiserver 1.36.3's words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness } from "../../../../test/transcripts/harness.ts";
import { celHost } from "../../../host/regex.ts";
import { celWith } from "../../cel-library.ts";

const matchConstraints = { resourceRules: [{ operations: ["CREATE"], apiGroups: ["*"], apiVersions: ["*"], resources: ["configmaps"] }] };
const validate = (expression: string, more: object = {}): object => ({ validations: [{ expression, ...more }] });
const audit = (key: string, valueExpression: string): object => ({ auditAnnotations: [{ key, valueExpression }] });
const variables = (given: { readonly [name: string]: string }): object => ({ variables: Object.entries(given).map(([name, expression]) => ({ name, expression })) });
const apply = (expression: string): object => ({ mutations: [{ patchType: "ApplyConfiguration", applyConfiguration: { expression } }] });
const patch = (expression: string): object => ({ mutations: [{ patchType: "JSONPatch", jsonPatch: { expression } }] });
const rule = "spec.validations[0].expression", first = "spec.variables[0].expression", change = "spec.mutations[0]";

/** Each problem's field, and the first line of what is wrong after the value. */
const table: readonly (readonly [spec: object, ...problems: string[]])[] = [
  [validate("variables.x"), `${rule}: 1:1: undeclared reference to 'variables' (in container '')`],
  [{ ...validate("variables.x"), ...variables({ y: "1" }) }, `${rule}: 1:10: undefined field 'x'`],
  [{ ...validate("true"), ...variables({ a: "variables.b", b: "1" }) }, `${first}: 1:10: undefined field 'b'`],
  [{ ...validate("variables.y"), ...variables({ y: "nope" }) }, `${first}: 1:1: undeclared reference to 'nope' (in container '')`, `${rule}: must evaluate to bool but got dyn`],
  [{ ...validate("variables.l.all(x, x == '')"), ...variables({ l: "[1, 2]" }) }, `${rule}: 1:22: found no matching overload for '_==_' applied to '(int, string)'`],
  [{ ...validate("variables.q.isInteger()"), ...variables({ q: "quantity('1')" }) }],
  [validate("object.x"), `${rule}: must evaluate to bool but got dyn`],
  [validate("request.dryRun")],
  [validate("request.object.x"), `${rule}: 1:8: undefined field 'object'`],
  [validate("namespaceObject.metadata.nope"), `${rule}: 1:25: undefined field 'nope'`],
  [validate("jsonpatch.escapeKey('a') == ''"), `${rule}: 1:1: undeclared reference to 'jsonpatch' (in container '')`],
  [validate("true", { message: "a\nb" }), "spec.validations[0].message: must not contain line breaks"],
  [validate("true", { message: " \n", messageExpression: " " }), "spec.validations[0].messageExpression: must be non-empty if specified", "spec.validations[0].message: must be non-empty if specified"],
  [validate("true", { messageExpression: "null" }), "spec.validations[0].messageExpression: must evaluate to string but got null_type"],
  [audit("bad key", "1"), "spec.auditAnnotations[0].key: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')", "spec.auditAnnotations[0].valueExpression: must evaluate to one of [string null_type] but got int"],
  [audit("k", " nope "), "spec.auditAnnotations[0].valueExpression: 1:1: undeclared reference to 'nope' (in container '')"],
  [audit("k", `"${"x".repeat(5 * 1024)}"`), "spec.auditAnnotations[0].valueExpression: must not exceed 5120 bytes in length"],
  [{ auditAnnotations: Array.from({ length: 21 }, (_, i) => ({ key: `k${i}`, valueExpression: "''" })) }, "spec.auditAnnotations: must not have more than 20 auditAnnotations"],
  [{ ...validate("true"), matchConditions: [{ name: "c", expression: " 1 " }, { name: "d", expression: " " }] }, "spec.matchConditions[0].expression: must evaluate to bool but got int", "spec.matchConditions[1].expression: "],
  [apply("Object{metadata: Object.metadata{name: variables.y}}"), `${change}.applyConfiguration.expression: 1:49: undefined field 'y'`],
  [apply("object"), `${change}.applyConfiguration.expression: must evaluate to Object but got dyn`],
  [patch("[]"), `${change}.jsonPatch.expression: must evaluate to list(JSONPatch) but got list(dyn)`],
  [{ ...patch("[JSONPatch{op: 'add', path: '/' + jsonpatch.escapeKey('a/b'), value: variables.v}]"), ...variables({ v: "1" }) }],
];
for (const [spec, ...problems] of table) test(`a policy that is written: ${JSON.stringify(spec).slice(0, 150)}`, async () => {
  const harness = await startHarness({ loadCel: async () => celWith(celHost) });
  const kind = "mutations" in spec ? "mutatingadmissionpolicies" : "validatingadmissionpolicies";
  const response = await harness.send("POST", `/apis/admissionregistration.k8s.io/v1/${kind}`, { headers: { "content-type": "application/json" }, body: JSON.stringify({ metadata: { name: "x" }, spec: { matchConstraints, failurePolicy: "Fail", reinvocationPolicy: "Never", ...spec } }) });
  const body = JSON.parse(String(await bodyOf(response)));
  const shown = (message: string): string => message.split("\n")[0]!.replace(/^(Required value|Invalid value: ("(\\.|[^"\\])*"|\[.*\]))(: )?/, "").replace("compilation failed: ERROR: <input>:", "");
  assert.deepEqual((body.details?.causes ?? []).map(({ field, message }: any) => `${field}: ${shown(message)}`), problems);
  assert.equal(response.status, problems.length === 0 ? 201 : 422);
  await harness.close();
});
