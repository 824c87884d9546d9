import { LabelSelectorRequirement } from "../meta/labelselector.ts";
import * as t from "../../schema/t.ts";

export const NonResourceAttributes = t.object("io.k8s.api.authorization.v1.NonResourceAttributes", {
  path: t.string().pb(1),
  verb: t.string().pb(2),
});
export interface NonResourceAttributes extends t.Stored<typeof NonResourceAttributes> {}

export const FieldSelectorRequirement = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement", {
  key: t.string().pb(1).required().always("zero"),
  operator: t.string().pb(2).required().always("zero"),
  values: t.list(t.string()).pb(3),
});
export interface FieldSelectorRequirement extends t.Stored<typeof FieldSelectorRequirement> {}

export const FieldSelectorAttributes = t.object("io.k8s.api.authorization.v1.FieldSelectorAttributes", {
  rawSelector: t.string().pb(1),
  requirements: t.list(FieldSelectorRequirement).pb(2),
});
export interface FieldSelectorAttributes extends t.Stored<typeof FieldSelectorAttributes> {}

export const LabelSelectorAttributes = t.object("io.k8s.api.authorization.v1.LabelSelectorAttributes", {
  rawSelector: t.string().pb(1),
  requirements: t.list(LabelSelectorRequirement).pb(2),
});
export interface LabelSelectorAttributes extends t.Stored<typeof LabelSelectorAttributes> {}

export const ResourceAttributes = t.object("io.k8s.api.authorization.v1.ResourceAttributes", {
  fieldSelector: FieldSelectorAttributes.pb(8),
  group: t.string().pb(3),
  labelSelector: LabelSelectorAttributes.pb(9),
  name: t.string().pb(7),
  namespace: t.string().pb(1),
  resource: t.string().pb(5),
  subresource: t.string().pb(6),
  verb: t.string().pb(2),
  version: t.string().pb(4),
});
export interface ResourceAttributes extends t.Stored<typeof ResourceAttributes> {}

export const SubjectAccessReviewSpec = t.object("io.k8s.api.authorization.v1.SubjectAccessReviewSpec", {
  extra: t.map(t.list(t.string()).wire("list-wrapper")).pb(5),
  groups: t.list(t.string()).pb(4),
  nonResourceAttributes: NonResourceAttributes.pb(2),
  resourceAttributes: ResourceAttributes.pb(1),
  uid: t.string().pb(6),
  user: t.string().pb(3),
});
export interface SubjectAccessReviewSpec extends t.Stored<typeof SubjectAccessReviewSpec> {}

export const SubjectAccessReviewStatus = t.object("io.k8s.api.authorization.v1.SubjectAccessReviewStatus", {
  allowed: t.bool().pb(1).required().always("zero"),
  denied: t.bool().pb(4),
  evaluationError: t.string().pb(3),
  reason: t.string().pb(2),
});
export interface SubjectAccessReviewStatus extends t.Stored<typeof SubjectAccessReviewStatus> {}
