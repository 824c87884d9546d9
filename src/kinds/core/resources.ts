import * as t from "../../schema/t.ts";

export const ContainerResizePolicy = t.object("io.k8s.api.core.v1.ContainerResizePolicy", {
  resourceName: t.string().pb(1).required().always("zero"),
  restartPolicy: t.string().pb(2).required().always("zero"),
});
export interface ContainerResizePolicy extends t.Stored<typeof ContainerResizePolicy> {}

export const ResourceClaim = t.object("io.k8s.api.core.v1.ResourceClaim", {
  name: t.string().pb(1).required().always("zero"),
  request: t.string().pb(2),
});
export interface ResourceClaim extends t.Stored<typeof ResourceClaim> {}

export const ResourceRequirements = t.object("io.k8s.api.core.v1.ResourceRequirements", {
  claims: t.listBy(ResourceClaim, "name").pb(3),
  limits: t.map(t.quantity()).pb(1),
  requests: t.map(t.quantity()).pb(2),
});
export interface ResourceRequirements extends t.Stored<typeof ResourceRequirements> {}
