import assert from "node:assert/strict";
import { test } from "node:test";
import { updateManagedFields } from "./apply.ts";
import { decode } from "./decode.ts";
import { givenEmpty, withNulls, withoutNulls } from "./go-nulls.ts";
import * as t from "./t.ts";

const Condition = t.object({ type: t.string().pb(1), at: t.time().pb(2).always("null") });
const Thing = t.object({
  metadata: t.object({ name: t.string().pb(1) }).pb(1).always("{}"),
  rules: t.list(t.string()).pb(2).always("[]"),
  made: t.list(t.string()).pb(3).always("zero"),
  maybe: t.list(t.string()).pb(4),
  ref: t.string().pb(5).pointer().always("null"),
  status: t.object({ conditions: t.listBy(Condition, "type").pb(1), byName: t.map(Condition).pb(2) }).pb(6).always("{}"),
});

const cases: readonly (readonly [what: string, sent: any, held: any, written: any])[] = [
  ["nothing", {}, { metadata: {}, rules: [], made: [], status: {} }, { metadata: {}, rules: null, made: [], ref: null, status: {} }],
  ["nulls", { rules: null, made: null, maybe: null, ref: null, status: null }, { metadata: {}, rules: [], made: [], status: {} }, { metadata: {}, rules: null, made: [], ref: null, status: {} }],
  ["values", { rules: ["a"], ref: "" }, { metadata: {}, rules: ["a"], made: [], ref: "", status: {} }, { metadata: {}, rules: ["a"], made: [], ref: "", status: {} }],
  ["below lists and maps", { ref: "r", rules: ["a"], status: { conditions: [{ type: "A", at: "2026-01-01T00:00:00Z" }, { type: "B" }], byName: { c: {} } } },
    { metadata: {}, rules: ["a"], made: [], ref: "r", status: { conditions: [{ type: "A", at: "2026-01-01T00:00:00Z" }, { type: "B" }], byName: { c: {} } } },
    { metadata: {}, rules: ["a"], made: [], ref: "r", status: { conditions: [{ type: "A", at: "2026-01-01T00:00:00Z" }, { type: "B", at: null }], byName: { c: { at: null } } } }],
];

for (const [what, sent, held, written] of cases) {
  test(`Go's nulls are absent in memory and there in text: ${what}`, () => {
    const { object } = decode(Thing.node, sent);
    assert.deepEqual(object, held);
    const text = withNulls(Thing.node, object);
    assert.deepEqual(text, written);
    assert.deepEqual(object, held, "the object itself stays as it is");
    assert.deepEqual(withoutNulls(Thing.node, structuredClone(text)), held);
  });
}

test("who gives an empty list where Go writes null owns it, until it is stored; who gives null or none does not", () => {
  const ownedOf = (before: any, after: any) => (updateManagedFields({ node: Thing.node, apiVersion: "v1", manager: "m", now: 0, before, after }) ?? []).map(({ fieldsV1 }) => fieldsV1);
  const given = decode(Thing.node, { rules: [] }).object;
  assert.equal(given.rules, givenEmpty);
  assert.deepEqual(ownedOf(undefined, given), [{ "f:rules": {} }]);
  for (const sent of [{}, { rules: null }]) assert.deepEqual(ownedOf(undefined, decode(Thing.node, sent).object), []);
  withNulls(Thing.node, given);
  assert.notEqual(given.rules, givenEmpty);
  assert.deepEqual(ownedOf(given, decode(Thing.node, { rules: [] }).object), [{ "f:rules": {} }]);
  assert.deepEqual(ownedOf(given, decode(Thing.node, { rules: null }).object), []);
});
