import { LabelSelectorRequirement } from "../meta/labelselector.ts";
import * as t from "../../schema/t.ts";

export const NonResourceAttributes = t.object("io.k8s.api.authorization.v1.NonResourceAttributes", {
  path: t.string().pb(1).doc("The path."),
  verb: t.string().pb(2).doc("The HTTP method, in small letters."),
});
export interface NonResourceAttributes extends t.Stored<typeof NonResourceAttributes> {}

export const FieldSelectorRequirement = t.object("io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement", {
  key: t.string().pb(1).required().always("zero").doc("The field."),
  operator: t.string().pb(2).required().always("zero").doc("How its value is compared: In, NotIn, Exists or DoesNotExist."),
  values: t.list(t.string()).pb(3).doc("What it is compared with."),
});
export interface FieldSelectorRequirement extends t.Stored<typeof FieldSelectorRequirement> {}

export const FieldSelectorAttributes = t.object("io.k8s.api.authorization.v1.FieldSelectorAttributes", {
  rawSelector: t.string().pb(1).doc("The selector as it stands in the URL."),
  requirements: t.list(FieldSelectorRequirement).pb(2).doc("The selector, taken apart."),
});
export interface FieldSelectorAttributes extends t.Stored<typeof FieldSelectorAttributes> {}

export const LabelSelectorAttributes = t.object("io.k8s.api.authorization.v1.LabelSelectorAttributes", {
  rawSelector: t.string().pb(1).doc("The selector as it stands in the URL."),
  requirements: t.list(LabelSelectorRequirement).pb(2).doc("The selector, taken apart."),
});
export interface LabelSelectorAttributes extends t.Stored<typeof LabelSelectorAttributes> {}

export const ResourceAttributes = t.object("io.k8s.api.authorization.v1.ResourceAttributes", {
  fieldSelector: FieldSelectorAttributes.pb(8).doc("Fields that narrow the request down."),
  group: t.string().pb(3).doc("API group of the resource; * is all."),
  labelSelector: LabelSelectorAttributes.pb(9).doc("Labels that narrow the request down."),
  name: t.string().pb(7).doc("Name of the object; empty is all."),
  namespace: t.string().pb(1).doc("Its namespace; empty is all of them, or none."),
  resource: t.string().pb(5).doc("The resource; * is all."),
  subresource: t.string().pb(6).doc("Part of the object, such as status."),
  verb: t.string().pb(2).doc("What is done, such as get or create; * is everything."),
  version: t.string().pb(4).doc("API version; * is all."),
});
export interface ResourceAttributes extends t.Stored<typeof ResourceAttributes> {}

export const SubjectAccessReviewSpec = t.object("io.k8s.api.authorization.v1.SubjectAccessReviewSpec", {
  extra: t.map(t.list(t.string()).wire("list-wrapper")).pb(5).doc("What else is known of the user, by key."),
  groups: t.list(t.string()).pb(4).doc("Groups that the user belongs to."),
  nonResourceAttributes: NonResourceAttributes.pb(2).doc("A request to a path that is no resource."),
  resourceAttributes: ResourceAttributes.pb(1).doc("A request to a resource."),
  uid: t.string().pb(6).doc("Identity of the user."),
  user: t.string().pb(3).doc("Name of the user."),
});
export interface SubjectAccessReviewSpec extends t.Stored<typeof SubjectAccessReviewSpec> {}

export const SubjectAccessReviewStatus = t.object("io.k8s.api.authorization.v1.SubjectAccessReviewStatus", {
  allowed: t.bool().pb(1).required().always("zero").doc("Whether it may be done."),
  denied: t.bool().pb(4).doc("Whether it is forbidden, whatever else may allow it."),
  evaluationError: t.string().pb(3).doc("What went wrong meanwhile."),
  reason: t.string().pb(2).doc("Why, for people."),
});
export interface SubjectAccessReviewStatus extends t.Stored<typeof SubjectAccessReviewStatus> {}
