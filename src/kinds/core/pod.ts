import { PodSpec } from "./podspec.ts";
import { PodStatus } from "./podstatus.ts";
import { podColumns, podRowConditions } from "./podcolumns.ts";
import { defaultPod, dropGatedPodFields } from "./poddefaults.ts";
import { initialStatus, keepPodFacts } from "./podqos.ts";
import { adoptAppArmor, nameWarnings, podWarnings } from "./podwarnings.ts";
import { ipWarnings } from "./iprules.ts";
import { podRules } from "./podrules.ts";
import { defineKind, type Resource } from "../kind.ts";

export const Pod = defineKind({
  group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true,
  shortNames: ["po"], categories: ["all"], subresources: ["attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "resize", "status"],
  generation: true, returnDeleted: true,
  definition: "io.k8s.api.core.v1.Pod",
  doc: "Containers that run together on one node and share an address.",
  fields: {
    spec: PodSpec.pb(2).always("{}").doc("What to run, and how."),
    status: PodStatus.pb(3).always("{}").doc("What is running, as the node last reported."),
  },
  defaults: defaultPod,
  resets: subresource => (subresource === "status" ? [["spec"], ["metadata", "deletionTimestamp"], ["metadata", "ownerReferences"]] : [["status"]]),
  prepare(next, previous, { now, subresource, warn }) {
    dropGatedPodFields(next.spec);
    if (previous === undefined) {
      next.status = initialStatus(next, now);
      if (next.metadata.annotations !== undefined) adoptAppArmor(next, warn);
    } else if (subresource === "status") keepPodFacts(next, previous);
  },
  rules: podRules,
  selectable: {
    "spec.nodeName": pod => pod.spec.nodeName ?? "",
    "spec.restartPolicy": pod => pod.spec.restartPolicy,
    "spec.schedulerName": pod => pod.spec.schedulerName,
    "spec.serviceAccountName": pod => pod.spec.serviceAccountName ?? "",
    "spec.hostNetwork": pod => String(pod.spec.hostNetwork ?? false),
    "status.phase": pod => pod.status.phase ?? "",
    "status.podIP": pod => pod.status.podIPs?.[0]?.ip ?? pod.status.podIP ?? "",
    // Quirk: it is known, but no pod says anything there (pkg/apis/core/v1/conversion.go, pkg/registry/core/pod/strategy.go).
    "status.podIPs": () => "",
    // What spec.nodeName was called.
    "spec.host": pod => pod.spec.nodeName ?? "",
    "status.nominatedNodeName": pod => pod.status.nominatedNodeName ?? "",
  },
  // Humans do not update pods, agents do so often: no advice then (strategy.WarningsOnUpdate).
  *warnings(next, previous) {
    if (previous !== undefined) return;
    yield* nameWarnings(next.metadata.name, "the Pod's hostname");
    yield* podWarnings(next, "");
  },
  *statusWarnings({ status }) {
    for (const list of ["podIPs", "hostIPs"] as const) for (const [i, { ip }] of (status[list] ?? []).entries()) yield* ipWarnings(ip, `status.${list}[${i}].ip`);
  },
  columns: podColumns,
  rowConditions: podRowConditions,
});
export interface Pod extends Resource<typeof Pod> {}
