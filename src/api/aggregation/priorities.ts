/** In which order groups and versions are listed (kube-apiserver cmd/kube-apiserver/app/aggregator.go, pkg/controlplane/controller/crdregistration). */

const groups = new Map([
  ["", 18_000], ["apps", 17_800], ["events.k8s.io", 17_750], ["authentication.k8s.io", 17_700], ["authorization.k8s.io", 17_600], ["autoscaling", 17_500], ["batch", 17_400], ["certificates.k8s.io", 17_300],
  ["networking.k8s.io", 17_200], ["policy", 17_100], ["rbac.authorization.k8s.io", 17_000], ["storage.k8s.io", 16_800], ["apiextensions.k8s.io", 16_700], ["admissionregistration.k8s.io", 16_700],
  ["scheduling.k8s.io", 16_600], ["coordination.k8s.io", 16_500], ["node.k8s.io", 16_300], ["discovery.k8s.io", 16_200], ["flowcontrol.apiserver.k8s.io", 16_100], ["resource.k8s.io", 16_200],
  // Always first, above every number that an APIService may have; and what metrics-server's object says.
  ["apiregistration.k8s.io", 100_000], ["metrics.k8s.io", 100],
]);
/** Where a group's versions do not have upstream's usual 15. */
const versions = new Map([["v1.", 1], ["v2.autoscaling", 30], ["v1.flowcontrol.apiserver.k8s.io", 21], ["v1.resource.k8s.io", 21]]);

/** The numbers of the APIService of what this server serves itself; what is not built in is a custom resource's. */
export function priorityOf(group: string, version: string): { readonly groupPriorityMinimum: number; readonly versionPriority: number; readonly builtIn: boolean } {
  const builtIn = groups.get(group);
  return { groupPriorityMinimum: builtIn ?? 1_000, versionPriority: builtIn === undefined ? 100 : versions.get(`${version}.${group}`) ?? 15, builtIn: builtIn !== undefined };
}
