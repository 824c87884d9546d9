import * as t from "../../schema/t.ts";

export const ContainerResizePolicy = t.object("io.k8s.api.core.v1.ContainerResizePolicy", {
  resourceName: t.string().pb(1).required().always("zero").doc("cpu or memory."),
  restartPolicy: t.string().pb(2).required().always("zero").doc("Whether a change restarts the container."),
});
export interface ContainerResizePolicy extends t.Stored<typeof ContainerResizePolicy> {}

export const ResourceClaim = t.object("io.k8s.api.core.v1.ResourceClaim", {
  name: t.string().pb(1).required().always("zero").doc("The pod's claim."),
  request: t.string().pb(2).doc("One request of that claim; all of them if empty."),
});
export interface ResourceClaim extends t.Stored<typeof ResourceClaim> {}

export const ResourceRequirements = t.object("io.k8s.api.core.v1.ResourceRequirements", {
  claims: t.listBy(ResourceClaim, "name").pb(3).doc("Claims of the pod that are used."),
  limits: t.map(t.quantity()).pb(1).doc("The most that may be used, by resource."),
  requests: t.map(t.quantity()).pb(2).doc("What is set aside, by resource; the limits if not given."),
});
export interface ResourceRequirements extends t.Stored<typeof ResourceRequirements> {}
