import { timeOf } from "../../base/time.ts";
import { Binding } from "../../kinds/core/binding.ts";
import { notSupported, required, type Problem } from "../../schema/problem.ts";
import type { Call, Core } from "../core.ts";
import { badRequest, conflict, invalid, notFound, uidConflict, versionConflict } from "../errors.ts";
import { storeKey } from "../registry.ts";
import { put } from "../write.ts";
import { created, type Posted } from "./posted.ts";

/** How often a binding is redone when the pod changes underneath it. */
const conflictRetriesMax = 16;

/** A scheduler says where a pod goes (pkg/registry/core/pod/storage/storage.go BindingREST). */
export const binding: Posted = {
  body: Binding,
  async answer({ core }, call, body, { dryRun }) {
    const { name = "", namespace = "" } = body.metadata;
    if (namespace !== "" && namespace !== call.namespace) throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
    if (call.name !== "" && name !== call.name) throw badRequest("name in URL does not match name in Binding object");
    const problems: Problem[] = [];
    const { kind = "", name: node = "" } = body.target ?? {};
    if (kind !== "" && kind !== "Node") problems.push(notSupported("target.kind", kind, ["Node", "<empty>"]));
    if (node === "") problems.push(required("target.name"));
    // Upstream answers a bare 500.
    if (problems.length > 0) throw invalid({ group: "", kind: "Binding" }, name, problems);
    if (name === "") throw badRequest("Name parameter required.");
    await bind(core, call, name, body, dryRun);
    return created;
  },
};

async function bind(core: Core, call: Call, name: string, body: any, dryRun: boolean): Promise<void> {
  const pods = core.registry.resource("", "pods")!;
  for (let attempt = 0; attempt <= conflictRetriesMax; attempt++) {
    const entry = core.store.get(storeKey(pods.prefix, call.namespace, name));
    if (entry === undefined) throw notFound(pods, name);
    const pod = core.objects.object(entry);
    const refuse = (why: string) => conflict({ group: "", resource: "pods/binding" }, name, why);
    const { uid = "", resourceVersion = "" } = body.metadata;
    if (uid !== "" && uid !== pod.metadata.uid) throw uidConflict(pods, name, entry.key, uid, pod.metadata.uid);
    if (resourceVersion !== "" && resourceVersion !== pod.metadata.resourceVersion) throw versionConflict(pods, name, entry.key, resourceVersion, pod.metadata.resourceVersion);
    if (pod.metadata.deletionTimestamp !== undefined) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
    if ((pod.spec.nodeName ?? "") !== "") throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
    if ((pod.spec.schedulingGates?.length ?? 0) > 0) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
    if ((await put(core, pods.kind, entry.key, bound(pod, body, core.clock.now()), { entry, object: pod }, dryRun)) !== undefined) return;
  }
  throw conflict(pods, name);
}

function bound(pod: any, body: any, now: number): any {
  const { resourceVersion: _, ...metadata } = pod.metadata;
  const merged = (own: any, more: any) => (more === undefined || Object.keys(more).length === 0 ? own : { ...own, ...more });
  const [labels, annotations] = [merged(metadata.labels, body.metadata.labels), merged(metadata.annotations, body.metadata.annotations)];
  const condition = { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: timeOf(now) };
  // The nomination has served (ClearingNominatedNodeNameAfterBinding).
  const { nominatedNodeName: _n, ...status } = pod.status;
  const others = (pod.status.conditions ?? []).filter(({ type }: any) => type !== "PodScheduled");
  return {
    ...pod,
    metadata: { ...metadata, ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) },
    spec: { ...pod.spec, nodeName: body.target.name },
    status: { ...status, conditions: [...others, condition] },
  };
}
