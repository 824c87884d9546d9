import assert from "node:assert/strict";
import { test } from "node:test";
import { storedText } from "../src/api/objects.ts";
import { parseJson, stringifyJson } from "../src/base/json-codec.ts";
import type { Json, JsonObject } from "../src/base/json.ts";
import { kinds } from "../src/kinds/index.ts";
import { apiVersionOf } from "../src/kinds/kind.ts";
import { compare, Untyped } from "../src/schema/apply-compare.ts";
import { recursiveDifference } from "../src/schema/apply-field-set.ts";
import { ownedShapeOf } from "../src/schema/apply-shape.ts";
import { plansInAllMax, plansKept } from "../src/schema/apply-plan.ts";
import { createdText } from "../src/schema/apply-text.ts";
import { updateManagedFields } from "../src/schema/apply.ts";
import { decode, DecodeError } from "../src/schema/decode.ts";
import { seeded } from "./crash/workload.ts";
import { seedOf } from "./fuzz/seeds.ts";
import { mutated, valueOf } from "./fuzz/values.ts";

function* objects(): Iterable<{ readonly kind: (typeof kinds)[number]; readonly object: JsonObject }> {
  const random = seeded(5);
  for (const kind of kinds)
    for (let i = 0; i < 20; i++) {
      const seed = seedOf(kind, "a");
      const made = seed !== undefined && i % 2 === 0 ? mutated(seed, random, kind.schema.node) : { ...(valueOf(kind.schema.node, random, { nodes: 150 }) as object), metadata: { name: "a", labels: { "a.b/c": "d", "__proto__": "x" } } };
      try {
        yield { kind, object: decode(kind.schema.node, parseJson(stringifyJson({ ...(made as object), apiVersion: apiVersionOf(kind), kind: kind.kind })).value).object as JsonObject };
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
}

const without = (object: JsonObject, skipped: readonly string[]): JsonObject => Object.fromEntries(Object.entries(object).filter(([name]) => !skipped.includes(name)));

/** What `run` says, or that items of a list cannot be told apart. */
function told<T>(run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    if (error instanceof Untyped) return "untyped";
    throw error;
  }
}

test("what a create owns is the same as text as by comparison with nothing, for made-up objects of every kind", () => {
  let count = 0;
  for (const { kind, object } of objects()) {
    const shape = ownedShapeOf(kind.schema.node);
    for (const skipped of [[], ["status"]]) {
      const set = told(() => compare(shape, {}, without(object, skipped), true, "typed") ?? {});
      const expected = typeof set === "string" ? set : JSON.stringify(recursiveDifference(set, Object.fromEntries(skipped.map(name => [`f:${name}`, {}]))));
      assert.equal(told(() => createdText(shape, object, new Set(skipped))), expected, kind.kind);
    }
    count++;
  }
  assert.ok(count > 500, `void: ${count} objects`);
});

test("an object whose owners are known as text is stored as the same text", () => {
  for (const { kind, object } of objects()) {
    const owned = (before: JsonObject | undefined, after: JsonObject, subresource: string) => ({
      ...after, metadata: { ...(after["metadata"] as JsonObject), managedFields: updateManagedFields({ node: kind.schema.node, apiVersion: apiVersionOf(kind), manager: "test", now: 0, before, after, subresource }) as unknown as Json },
    });
    const created = owned(undefined, object, "");
    const updated = owned(created, { ...created, metadata: { ...created.metadata, labels: { other: "x" } } }, "status");
    for (const each of [created, updated]) {
      const text = storedText(kind.schema.node, each);
      const plain = parseJson(text).value as JsonObject;
      assert.equal(storedText(kind.schema.node, plain), text, kind.kind);
    }
  }
});

test("what is learnt of made-up objects has a limit over all kinds, and beyond it owners are still right", () => {
  const random = seeded(9);
  let [fullest, learnt, before] = [0, 0, plansKept()];
  for (let round = 0; learnt < 2 * plansInAllMax; round++) {
    assert.ok(round < 3_000, `void: ${learnt} plans`);
    for (const kind of kinds.slice(0, 40)) {
      const shape = ownedShapeOf(kind.schema.node), object = Object.fromEntries(Object.keys(kind.schema.node.fields ?? {}).concat([..."abcdefgh"]).filter(() => random() < 0.5).sort(() => random() - 0.5).map(name => [name, {}])) as JsonObject;
      const text = createdText(shape, object, new Set());
      if (round % 100 === 0) assert.equal(text, JSON.stringify(compare(shape, {}, object, true, "typed") ?? {}), kind.kind);
      const kept = plansKept();
      fullest = Math.max(fullest, kept);
      learnt += kept >= before ? kept - before : kept;
      before = kept;
    }
  }
  assert.ok(fullest <= plansInAllMax, `${fullest} plans at once`);
});
