import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../kinds/core/pod.ts";
import type { ResourceClaim } from "../kinds/resource/resourceclaim.ts";
import { claimOf, generatedName, isDone, planClaim } from "./resource-claim-plan.ts";

const held = "resource.kubernetes.io/delete-protection";
/** `used by a,b; allocated; held; deleted; made for a` in any order; `x` among the users is no pod. */
function claim(text: string): ResourceClaim {
  const words = text.split("; ");
  const after = (start: string): string | undefined => words.find(word => word.startsWith(start))?.slice(start.length);
  const users = after("used by ")?.split(",").map(uid => ({ resource: uid === "x" ? "others" : "pods", name: uid, uid }));
  const owner = after("made for ");
  return {
    metadata: {
      name: "c", ...(words.includes("held") ? { finalizers: ["a/b", held] } : {}), ...(words.includes("deleted") ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
      ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: owner, uid: owner, controller: true }] }),
    },
    spec: {}, status: { ...(users === undefined ? {} : { reservedFor: users }), ...(words.includes("allocated") ? { allocation: { devices: {} } } : {}) },
  } as unknown as ResourceClaim;
}
/** `a`, `a Failed`, `a leaving`, `a leaving from n`, `a as b` (its uid). */
function pod(text: string): Pod {
  const [name = "", ...words] = text.split(" ");
  return {
    metadata: { name, uid: words.includes("as") ? words[words.indexOf("as") + 1] : name, ...(words.includes("leaving") ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}) },
    spec: { containers: [], ...(words.includes("from") ? { nodeName: "n" } : {}) }, status: { phase: words.includes("Failed") ? "Failed" : "Running" },
  } as unknown as Pod;
}
const told = ({ status, finalizers, remove }: ReturnType<typeof planClaim>): string => [
  ...(status === undefined ? [] : [`used by ${(status.reservedFor ?? []).map(({ uid }) => uid).join(",") || "none"}${status.allocation === undefined ? "" : " allocated"}`]), ...(finalizers === undefined ? [] : [`held by ${finalizers.join(",")}`]), ...(remove ? ["removed"] : []),
].join("; ");

const table: readonly (readonly [string, string, string | undefined, string])[] = [
  ["used by a,b; allocated; held", "", undefined, ""],
  ["used by a,b; allocated; held", "a", undefined, "used by b allocated"],
  ["used by a; allocated; held", "a", undefined, "used by none; held by a/b"],
  ["used by a; allocated", "a", undefined, "used by none allocated"],
  ["used by a; held", "a", undefined, "used by none; held by a/b"],
  ["used by a,b; held", "a", undefined, "used by b; held by a/b"],
  ["used by x; allocated; held", "x", undefined, ""],
  ["allocated; held", "", undefined, ""],
  ["allocated; held; deleted", "", undefined, "used by none; held by a/b"],
  ["held; deleted", "", undefined, "held by a/b"],
  ["used by a; allocated; held; deleted", "", undefined, ""],
  ["made for a", "", "a", ""],
  ["made for a", "", "a Failed", "removed"],
  ["made for a", "", "a leaving", "removed"],
  ["made for a", "", "a leaving from n", ""],
  ["made for a", "", "a as b", "removed"],
  ["made for a", "", undefined, ""],
  ["made for a; used by a; allocated; held", "a", "a Failed", "used by none; held by a/b; removed"],
  ["made for a; used by a", "", "a Failed", ""],
];
for (const [text, gone, owner, expected] of table) test(`a claim (${text}) of which ${gone || "nobody"} has gone${owner === undefined ? "" : `, with its pod ${owner}`}`, () => assert.equal(told(planClaim(claim(text), new Set(gone === "" ? [] : gone.split(",")), owner === undefined ? undefined : pod(owner))), expected));

test("which claim stands for what a pod asks for: a named one, the one noted for its template, none where none is needed", () => {
  const asking = { ...pod("p"), status: { resourceClaimStatuses: [{ name: "made", resourceClaimName: "p-made-abcde" }, { name: "unneeded" }] } } as unknown as Pod;
  const of = (more: object) => claimOf(asking, more as never);
  assert.deepEqual([of({ name: "own", resourceClaimName: "shared" }), of({ name: "made", resourceClaimTemplateName: "t" }), of({ name: "unneeded", resourceClaimTemplateName: "t" }), of({ name: "new", resourceClaimTemplateName: "t" })],
    [{ name: "shared", own: false }, { name: "p-made-abcde", own: true }, { name: undefined, own: true }, undefined]);
  assert.deepEqual(["p", "p Failed", "p leaving", "p leaving from n"].map(text => isDone(pod(text))), [false, true, true, false]);
});

test("long names are shortened alike", () => {
  assert.equal(generatedName("pod", "gpu"), "pod-gpu-");
  assert.equal(generatedName("p".repeat(60), "c".repeat(30)), `${"p".repeat(37)}-${"c".repeat(18)}`);
});
