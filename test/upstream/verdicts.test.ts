/**
 * What upstream's own 1.36.3 registry strategies (defaults, preparation, validation) answered to valid objects of each kind with one
 * field changed: `verdicts.json.gz` holds the objects, where each was changed, and every problem that upstream named. Ours must name the same.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { setOwn } from "../../src/base/json.ts";
import { kinds } from "../../src/kinds/index.ts";
import { apiVersionOf, type AnyKind } from "../../src/kinds/kind.ts";
import { validateObjectMeta } from "../../src/kinds/meta/rules.ts";
import { decode } from "../../src/schema/decode.ts";
import { applyDefaults } from "../../src/schema/defaults.ts";
import { problemBody } from "../../src/schema/problem.ts";
import { validate } from "../../src/schema/validate.ts";

type Verdicts = {
  readonly bases: readonly { readonly op: "create" | "update"; readonly object: any }[];
  readonly cases: readonly { readonly of: number; readonly at: readonly (string | number)[]; readonly value?: unknown; readonly problems: readonly string[] }[];
};
const { bases, cases } = JSON.parse(gunzipSync(readFileSync(new URL("verdicts.json.gz", import.meta.url))).toString()) as Verdicts;
const now = Date.parse("2026-01-01T00:00:00Z");

function changed(object: any, at: readonly (string | number)[], value: unknown): any {
  const copy = structuredClone(object);
  const last = at.at(-1);
  if (last === undefined) return copy;
  const holder = at.slice(0, -1).reduce<any>((holder, key) => holder[key], copy);
  if (value !== undefined) setOwn(holder, String(last), value);
  else if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete holder[last];
  return copy;
}
function adopted(kind: AnyKind, given: any): any {
  const { object } = decode(kind.schema.node, given);
  applyDefaults(kind.schema.node, object);
  kind.defaults?.(object);
  return object;
}
function problemsOf(kind: AnyKind, op: "create" | "update", given: any, base: any): readonly string[] {
  const next = adopted(kind, given);
  const previous = op === "create" ? undefined : adopted(kind, base);
  if (op === "create") {
    Object.assign(next.metadata, { uid: "u1", creationTimestamp: "2026-01-01T00:00:00Z" });
    if (kind.statusOnCreate !== true && "status" in kind.fields) next.status = adopted(kind, { metadata: {} }).status;
  } else if ("status" in kind.fields) next.status = previous.status;
  const context = { now, operation: op, subresource: "" };
  kind.prepare?.(next, previous, context);
  const problems = [...validateObjectMeta(kind, next.metadata, previous?.metadata), ...validate(kind.schema.node, next, previous), ...(kind.rules?.(next, previous, context) ?? [])];
  return [...new Set(problems.map(problem => `${problem.field}: ${problemBody(problem)}`))].sort();
}

for (const kind of kinds) {
  const own = cases.filter(({ of }) => bases[of]!.object.kind === kind.kind && bases[of]!.object.apiVersion === apiVersionOf(kind));
  if (own.length === 0) continue;
  test(`${kind.kind}: upstream's verdicts on ${own.length} objects are ours`, () => {
    for (const { of, at, value, problems } of own) {
      const { op, object } = bases[of]!;
      assert.deepEqual(problemsOf(kind, op, changed(object, at, value), object), problems, `${op} with ${at.join(".")} = ${JSON.stringify(value)}`);
    }
  });
}
