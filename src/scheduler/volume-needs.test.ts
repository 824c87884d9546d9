import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume } from "../kinds/core/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../kinds/core/persistentvolumeclaim.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { clusterOf, podObject } from "../../test/scheduler/notation.ts";
import { explain } from "./explain.ts";
import { PodInfo } from "./pod-info.ts";
import { schedulePod } from "./schedule-pod.ts";
import type { Volumes } from "./volume-needs.ts";

/** `name[:volume][,option…]`: bound to a volume; class=x lost dying once node=x owner=uid. */
function claimOf(text: string): PersistentVolumeClaim {
  const [head = "", ...options] = text.split(","), [name = "", volume] = head.split(":");
  const of = (key: string): string | undefined => options.find(each => each.startsWith(`${key}=`))?.slice(key.length + 1);
  const owner = of("owner");
  return {
    apiVersion: "v1", kind: "PersistentVolumeClaim",
    metadata: { name, namespace: "default", uid: `claim-${name}`, annotations: { ...(volume === undefined ? {} : { "pv.kubernetes.io/bind-completed": "yes" }), ...(of("node") === undefined ? {} : { "volume.kubernetes.io/selected-node": of("node") }) }, ...(options.includes("dying") ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}), ...(owner === undefined ? {} : { ownerReferences: [{ uid: owner, controller: true }] }) },
    spec: { ...(volume === undefined ? {} : { volumeName: volume }), storageClassName: of("class") ?? "now", accessModes: [options.includes("once") ? "ReadWriteOncePod" : "ReadWriteOnce"] }, status: { phase: options.includes("lost") ? "Lost" : volume === undefined ? "Pending" : "Bound" },
  } as unknown as PersistentVolumeClaim;
}
/** `name@node`: can be reached only from that node. */
function volumeOf(text: string): PersistentVolume {
  const [name = "", node] = text.split("@");
  const required = { nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] }] };
  return { apiVersion: "v1", kind: "PersistentVolume", metadata: { name }, spec: node === undefined ? {} : { nodeAffinity: { required } } } as unknown as PersistentVolume;
}
/** Claims; `+name` is an ephemeral volume. */
function podWith(claims: string, text = "p"): Pod {
  const pod = podObject(text), volumes = claims.split(" ").map(claim => (claim.startsWith("+") ? { name: claim.slice(1), ephemeral: {} } : { name: claim, persistentVolumeClaim: { claimName: claim } }));
  return { ...pod, spec: { ...pod.spec, volumes } } as unknown as Pod;
}

/** `others`: `pod text|claims`, already on nodes. */
function outcome(uses: string, claims: string, volumes: string, others: readonly string[] = []): string {
  const known = new Map(claims.split(" ").filter(Boolean).map(text => claimOf(text)).map(claim => [claim.metadata.name, claim])), made = new Map(volumes.split(" ").filter(Boolean).map(text => volumeOf(text)).map(volume => [volume.metadata.name, volume]));
  const lookups: Volumes = { claim: (_, name) => known.get(name), volume: name => made.get(name), waits: name => name === "later" };
  const { cluster } = clusterOf("a b c", "", "", [], lookups);
  for (const other of others) {
    const [text = "", used = ""] = other.split("|");
    cluster.setPod(podWith(used, text));
  }
  const decision = schedulePod(new PodInfo(podWith(uses)), cluster, { next: () => 0 } as never);
  return decision.node ?? explain(decision.diagnosis, "");
}

const table: readonly (readonly [string, string, string, string, string])[] = [
  ["a volume on one node", "x", "x:v", "v@b", "b"],
  ["two volumes on two nodes", "x y", "x:v y:w", "v@b w@c", "0/3 nodes are available: 3 node(s) didn't match PersistentVolume's node affinity."],
  ["two volumes on one", "x y", "x:v y:w", "v@c w@c", "c"],
  ["a node that is gone", "x", "x:v", "v@z", "0/3 nodes are available: 3 node(s) didn't match PersistentVolume's node affinity."],
  ["no claim", "x", "", "", '0/3 nodes are available: persistentvolumeclaim "x" not found.'],
  ["a claim that is not bound", "x", "x", "", "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."],
  ["a claim that waits beside one that does not", "x y", "x,class=later y", "", "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."],
  ["a claim that waits beside a volume on one node", "x y", "x,class=later y:w", "w@c", "c"],
  ["a lost claim", "x", "x:v,lost", "", '0/3 nodes are available: persistentvolumeclaim "x" bound to non-existent persistentvolume "v".'],
  ["a claim that goes", "x", "x:v,dying", "v", '0/3 nodes are available: persistentvolumeclaim "x" is being deleted.'],
  ["an ephemeral volume to come", "+x", "", "", '0/3 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "p-x".'],
  ["an ephemeral volume of this pod", "+x", "p-x:v,owner=uid-p", "v@b", "b"],
  ["an ephemeral volume of another", "+x", "p-x:v,owner=else", "v@b", "0/3 nodes are available: PVC default/p-x was not created for pod default/p (pod is not owner)."],
];
for (const [name, uses, claims, volumes, expected] of table) test(name, () => assert.equal(outcome(uses, claims, volumes), expected));

test("a claim that waits lets any node do", () => assert.match(outcome("x", "x,class=later", ""), /^[abc]$/));
test("a volume that is everywhere", () => assert.match(outcome("x", "x:v", "v"), /^[abc]$/));

const shared: readonly (readonly [string, string, readonly string[], string])[] = [
  ["a claim that waits goes where its first pod is", "x,class=later", ["first@b|x"], "b"],
  ["a claim that waits goes where it was promised", "x,class=later,node=c", [], "c"],
  ["claims that wait on two nodes", "x,class=later,node=a y,class=later", ["first@b|y"], "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind."],
  ["a claim that waits on a node that is gone", "x,class=later,node=z", [], "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind."],
  ["the same name in another namespace is another claim", "x,class=later,node=a", ["first@b:ns=other|x"], "a"],
  ["a claim for one pod that has one", "x:v,once", ["first@b|x"], "0/3 nodes are available: 3 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod."],
  ["a claim for one pod whose pod has ended", "x:v,once", ["first@b:phase=Succeeded|x", "second@b|y"], "c"],
];
for (const [name, claims, others, expected] of shared) test(name, () => assert.equal(outcome(claims.split(" ").map(claim => claim.replace(/[:,].*/, "")).join(" "), claims, "v@c", others), expected));
