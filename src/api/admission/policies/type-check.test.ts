import assert from "node:assert/strict";
import { test } from "node:test";
import { kinds } from "../../../kinds/index.ts";
import { celHost } from "../../../host/regex.ts";
import { celWith } from "../../cel-library.ts";
import { Registry } from "../../registry.ts";
import type { PolicySpec } from "./policies.ts";

const registry = new Registry(kinds);
/** What is said of these rules for deployments; "" if nothing. */
function said(validation: object, more: object = {}): string {
  const spec = { matchConstraints: { resourceRules: [{ apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments"], operations: ["*"] }] }, validations: [validation], ...more } as unknown as PolicySpec;
  return celWith(celHost).typeWarnings(spec, registry).map(({ fieldRef, warning }) => `${fieldRef}: ${warning}`).join("");
}

const table: readonly (readonly [string, object, object, RegExp])[] = [
  ["types that fit", { expression: "object.spec.replicas > 1 && object.metadata.creationTimestamp < timestamp('2026-01-01T00:00:00Z')" }, {}, /^$/],
  ["a number and a text", { expression: "object.spec.replicas > '1'" }, {}, /^spec\.validations\[0\]\.expression: apps\/v1, Kind=Deployment: compilation failed: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '\(int, string\)'\n \| .*\n \| \.*\^\n$/],
  ["a message", { expression: "true", messageExpression: "'got ' + object.spec.replicas" }, {}, /^spec\.validations\[0\]\.messageExpression: .*'_\+_' applied to '\(string, int\)'/],
  ["a field that is not there", { expression: "object.spec.nope == 1" }, {}, /undefined field 'nope'/],
  ["lists inside", { expression: "object.spec.template.spec.containers.all(c, c.image.startsWith(1))" }, {}, /startsWith/],
  ["a variable has a type", { expression: "variables.a > '1'" }, { variables: [{ name: "a", expression: "object.spec.replicas" }] }, /'\(int, string\)'/],
  ["a variable that is not there", { expression: "variables.b > 1" }, { variables: [{ name: "a", expression: "1" }] }, /undefined field 'b'/],
  ["parameters", { expression: "params.data.max > 1" }, { paramKind: { apiVersion: "v1", kind: "ConfigMap" } }, /'\(string, int\)'/],
  ["wildcards are not checked", { expression: "object.spec.replicas > '1'" }, { matchConstraints: { resourceRules: [{ apiGroups: ["*"], apiVersions: ["v1"], resources: ["deployments"] }] } }, /^$/],
  ["the authorizer", { expression: "authorizer.group('').resource('pods').check('get').allowed() == 1" }, {}, /'\(bool, int\)'/],
];
for (const [name, validation, more, expected] of table) test(`types in a policy: ${name}`, () => assert.match(said(validation, more), expected));

test("schemas that contain themselves are no trouble", () => {
  const spec = { matchConstraints: { resourceRules: kinds.map(({ group, version, plural }) => ({ apiGroups: [group], apiVersions: [version], resources: [plural] })) }, validations: [{ expression: "object.metadata.name == ''" }] } as unknown as PolicySpec;
  assert.deepEqual(celWith(celHost).typeWarnings(spec, registry).filter(({ warning }) => !warning.includes("Review")), []);
});
