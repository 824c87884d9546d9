import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnyKind, Resource } from "../kinds/kind.ts";
import { collectPlan, isBlockedBy, isOrphaning, isWaiting, type OwnerState } from "./garbage-plan.ts";

type Any = Resource<AnyKind>;
// Owners by state: s solid, w waiting in the foreground, a absent; then the object's finalizers, and its dependents: d, or f for one being deleted in the foreground.
const cases = [
  // owners finalizers             dependents  what happens
  ["",      "",                    "",         ""],
  ["s",     "",                    "",         ""],
  ["a",     "",                    "",         "Background"],
  ["a a",   "",                    "d",        "Background"],
  ["s a",   "",                    "",         "keep 0"],
  ["a s w", "",                    "",         "keep 1"],
  ["w",     "",                    "",         "Background"],
  ["w",     "",                    "d",        "Foreground"],
  ["w a",   "",                    "d f",      "unblock Foreground"],
  ["a",     "orphan",              "",         "Orphan"],
  ["a",     "foregroundDeletion",  "",         "Foreground"],
] as const;
const states: { readonly [letter: string]: OwnerState } = { s: "solid", w: "waiting", a: "absent" };

for (const [owners, finalizers, dependents, expected] of cases)
  test(`owners [${owners}] finalizers [${finalizers}] dependents [${dependents}]`, () => {
    const letters = owners.split(" ").filter(Boolean);
    const item = object({ ownerReferences: letters.map((_, i) => ({ uid: String(i) })), ...(finalizers === "" ? {} : { finalizers: [finalizers] }) });
    const plan = collectPlan(item, new Map(letters.map((letter, i) => [String(i), states[letter]!])), dependents.split(" ").filter(Boolean).map(kind => (kind === "f" ? object({ deletionTimestamp: "now", finalizers: ["foregroundDeletion"] }) : object({}))));
    assert.equal([plan.unblock ? "unblock" : "", plan.keepReferences === undefined ? "" : `keep ${plan.keepReferences.map(({ uid }) => uid).join(",")}`, plan.deletion ?? ""].filter(Boolean).join(" "), expected);
  });

test("only a deleted object waits or orphans, and only a blocking reference holds it back", () => {
  assert.deepEqual([isWaiting(object({ finalizers: ["foregroundDeletion"] })), isOrphaning(object({ deletionTimestamp: "now", finalizers: ["orphan"] }))], [false, true]);
  const owner = object({ uid: "u" });
  assert.deepEqual([true, false].map(blockOwnerDeletion => isBlockedBy(owner, object({ ownerReferences: [{ uid: "u", blockOwnerDeletion }] }))), [true, false]);
});

function object(metadata: object): Any {
  return { metadata } as unknown as Any;
}
