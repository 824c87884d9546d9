/** What is wrong with selectors of devices: texts as upstream's (dynamic-resource-allocation/cel). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness } from "../../../test/transcripts/harness.ts";
import { celHost } from "../../host/regex.ts";
import { celWith } from "../cel-library.ts";

const input = (text: string, column: number, problem: string): string => `compilation failed: ERROR: <input>:1:${column}: ${problem}\n | ${text}\n | ${".".repeat(column - 1)}^`;
const attribute = 'device.attributes["dra.example.com"].name';
const table: readonly (readonly [expression: string, problem: string])[] = [
  ["true", ""],
  ['device.driver == "dra.example.com"', ""],
  [attribute, ""],
  [`${attribute} > 0 && device.capacity["dra.example.com"].memory.compareTo(quantity("1Gi")) >= 0`, ""],
  [`${attribute}.isGreaterThan(semver("1.0.0"))`, ""],
  ['"x" in device.attributes && device.allowMultipleAllocations', ""],
  ['cel.bind(dra, device.attributes["dra.example.com"], dra.one && dra.other)', ""],
  ['device.attributes.exists(domain, domain == "a")', ""],
  ["device.nope", input("device.nope", 7, "undefined field 'nope'")],
  ["nope", input("nope", 1, "undeclared reference to 'nope' (in container '')")],
  ["1", "must evaluate to bool or the unknown type, not int"],
  ["dyn(true)", "must evaluate to bool or the unknown type, not dyn"],
  ["device.driver", "must evaluate to bool or the unknown type, not string"],
  [`${attribute}.exists(x, x > 0)`, input(`${attribute}.exists(x, x > 0)`, 37, "expression of type 'any' cannot be range of a comprehension (must be list, map, or dynamic)")],
  ["device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, device.attributes.all(d, a + b + c + d != ''))))", "too complex, exceeds cost limit"],
  [`"${"x".repeat(10 * 1024)}" != ""`, "may not be more than 10240 bytes"],
];
for (const [expression, problem] of table) test(`a selector of devices: ${expression.slice(0, 80)}`, () => assert.equal(celWith(celHost).selectorProblem(expression, "e")?.detail ?? "", problem));

test("claims, templates and classes are refused with their selectors, beside what else is wrong", async () => {
  const harness = await startHarness({ loadCel: async () => celWith(celHost) });
  const send = async (method: string, path: string, body: object): Promise<{ status: number; body: any }> => {
    const response = await harness.send(method, path, { headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    return { status: response.status, body: JSON.parse(String(await bodyOf(response))) };
  };
  await send("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  const selectors = (...texts: readonly string[]) => texts.map(expression => ({ cel: { expression } })), group = "/apis/resource.k8s.io/v1";
  const claim = { devices: { requests: [{ name: "a", exactly: { deviceClassName: "", selectors: selectors("true", "1") } }, { name: "b", firstAvailable: [{ name: "c", deviceClassName: "c", selectors: selectors("2") }] }] } };
  const fields = async (path: string, body: object) => (await send("POST", path, body)).body.details?.causes.map(({ field }: any) => field);
  const within = (path: string): readonly string[] => [`${path}.requests[0].exactly.deviceClassName`, `${path}.requests[0].exactly.selectors[1].cel.expression`, `${path}.requests[1].firstAvailable[0].selectors[0].cel.expression`];
  assert.deepEqual(await fields(`${group}/namespaces/default/resourceclaims`, { metadata: { name: "x" }, spec: claim }), within("spec.devices"));
  assert.deepEqual(await fields(`${group}/namespaces/default/resourceclaimtemplates`, { metadata: { name: "x" }, spec: { spec: claim } }), within("spec.spec.devices"));
  assert.deepEqual(await fields(`${group}/deviceclasses`, { metadata: { name: "x" }, spec: { selectors: selectors("1") } }), ["spec.selectors[0].cel.expression"]);
  assert.deepEqual(await fields(`${group}/deviceclasses`, { metadata: { name: "x" }, spec: { selectors: selectors(...Array.from({ length: 33 }, () => "1")) } }), ["spec.selectors"], "too many are not compiled");
  const made = await send("POST", `${group}/deviceclasses`, { metadata: { name: "x" }, spec: { selectors: selectors("true") } });
  assert.equal(made.status, 201);
  assert.equal((await send("PUT", `${group}/deviceclasses/x`, { ...made.body, spec: { selectors: selectors("1") } })).status, 422);
  await harness.close();
});
