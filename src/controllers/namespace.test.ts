import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMap } from "../kinds/core/configmap.ts";
import type { Namespace } from "../kinds/core/namespace.ts";
import { planConditions, type Found } from "./namespace.ts";

const nothing: Found = { remaining: [], errors: [], undiscovered: [] };
const said = (found: Partial<Found>): readonly string[] => planConditions({ status: {} } as Namespace, { ...nothing, ...found }, 0).map(({ type, status, reason, message }) => `${type} ${status} ${reason}: ${message}`);
const held = { remaining: [{ kind: ConfigMap, objects: [{ metadata: { finalizers: ["example.com/hold"] } }] as never }] };

test("an ending namespace's conditions are upstream's, word for word", () => {
  const fine = said({});
  assert.deepEqual(fine, [
    "NamespaceDeletionDiscoveryFailure False ResourcesDiscovered: All resources successfully discovered",
    "NamespaceDeletionGroupVersionParsingFailure False ParsedGroupVersions: All legacy kube types successfully parsed",
    "NamespaceDeletionContentFailure False ContentDeleted: All content successfully deleted, may be waiting on finalization",
    "NamespaceContentRemaining False ContentRemoved: All content successfully removed",
    "NamespaceFinalizersRemaining False ContentHasNoFinalizers: All content-preserving finalizers finished",
  ]);
  const changes = (found: Partial<Found>): readonly string[] => said(found).filter(line => !fine.includes(line));
  assert.deepEqual(changes(held), ["NamespaceContentRemaining True SomeResourcesRemain: Some resources are remaining: configmaps. has 1 resource instances", "NamespaceFinalizersRemaining True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"]);
  assert.deepEqual(changes({ ...held, podsOnly: true }), []);
  assert.deepEqual(changes({ errors: [new Error("b"), new Error("a")] }), ["NamespaceDeletionContentFailure True ContentDeletionFailed: Failed to delete all resource types, 2 remaining: a, b"]);
  assert.deepEqual(changes({ undiscovered: ["a.example.com/v1", "b.example.com/v1"] }), ["NamespaceDeletionDiscoveryFailure True DiscoveryFailed: Discovery failed for some groups, 2 failing: unable to retrieve the complete list of server APIs: a.example.com/v1: stale GroupVersion discovery: a.example.com/v1, b.example.com/v1: stale GroupVersion discovery: b.example.com/v1"]);
});
