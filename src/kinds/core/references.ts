import * as t from "../../schema/t.ts";

export const NodeSelectorRequirement = t.object("io.k8s.api.core.v1.NodeSelectorRequirement", {
  key: t.string().pb(1).required().always("zero").doc("Label, or field, of the node."),
  operator: t.oneOf("DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn").unchecked().pb(2).required().always("zero").doc("How its value is compared: In, NotIn, Exists, DoesNotExist, Gt or Lt."),
  values: t.list(t.string()).pb(3).doc("What it is compared with."),
});
export interface NodeSelectorRequirement extends t.Stored<typeof NodeSelectorRequirement> {}

export const NodeSelectorTerm = t.object("io.k8s.api.core.v1.NodeSelectorTerm", {
  matchExpressions: t.list(NodeSelectorRequirement).pb(1).doc("Requirements on labels."),
  matchFields: t.list(NodeSelectorRequirement).pb(2).doc("Requirements on fields, of which there is metadata.name."),
}).atomic();
export interface NodeSelectorTerm extends t.Stored<typeof NodeSelectorTerm> {}

export const NodeSelector = t.object("io.k8s.api.core.v1.NodeSelector", {
  nodeSelectorTerms: t.list(NodeSelectorTerm).pb(1).required().always("[]").doc("Terms of which one has to match."),
}).atomic();
export interface NodeSelector extends t.Stored<typeof NodeSelector> {}

export const ObjectFieldSelector = t.object("io.k8s.api.core.v1.ObjectFieldSelector", {
  apiVersion: t.string().pb(1).default("v1").doc("Version of the pod in which the path is meant."),
  fieldPath: t.string().pb(2).required().always("zero").doc("Path of the field, such as metadata.name."),
}).atomic();
export interface ObjectFieldSelector extends t.Stored<typeof ObjectFieldSelector> {}

export const ResourceFieldSelector = t.object("io.k8s.api.core.v1.ResourceFieldSelector", {
  containerName: t.string().pb(1).doc("The container; needed in volumes."),
  divisor: t.quantity().pb(3).always("zero").doc("Unit in which it is written."),
  resource: t.string().pb(2).required().always("zero").doc("Such as limits.cpu or requests.memory."),
}).atomic();
export interface ResourceFieldSelector extends t.Stored<typeof ResourceFieldSelector> {}

export const LocalObjectReference = t.object("io.k8s.api.core.v1.LocalObjectReference", {
  name: t.string().pb(1).default("", "published").doc("Name of an object in the same namespace."),
}).atomic();
export interface LocalObjectReference extends t.Stored<typeof LocalObjectReference> {}

export const TypedLocalObjectReference = t.object("io.k8s.api.core.v1.TypedLocalObjectReference", {
  apiGroup: t.string().pb(1).pointer().always("null").doc("API group of the object; empty is the core group."),
  kind: t.string().pb(2).required().always("zero").doc("Kind of the object."),
  name: t.string().pb(3).required().always("zero").doc("Its name."),
}).atomic();
export interface TypedLocalObjectReference extends t.Stored<typeof TypedLocalObjectReference> {}

export const TypedObjectReference = t.object("io.k8s.api.core.v1.TypedObjectReference", {
  apiGroup: t.string().pb(1).pointer().always("null").doc("API group of the object; empty is the core group."),
  kind: t.string().pb(2).required().always("zero").doc("Kind of the object."),
  name: t.string().pb(3).required().always("zero").doc("Its name."),
  namespace: t.string().pb(4).pointer().doc("Its namespace, which must allow it by a ReferenceGrant."),
});
export interface TypedObjectReference extends t.Stored<typeof TypedObjectReference> {}

export const ObjectReference = t.object("io.k8s.api.core.v1.ObjectReference", {
  apiVersion: t.string().pb(5).doc("API version of the object."),
  fieldPath: t.string().pb(7).doc("Part of the object that is meant, such as one container."),
  kind: t.string().pb(1).doc("Kind of the object."),
  name: t.string().pb(3).doc("Its name."),
  namespace: t.string().pb(2).doc("Its namespace."),
  resourceVersion: t.string().pb(6).doc("Version of the object that is meant."),
  uid: t.string().pb(4).doc("Its identity."),
}).atomic();
export interface ObjectReference extends t.Stored<typeof ObjectReference> {}

export const EventSource = t.object("io.k8s.api.core.v1.EventSource", {
  component: t.string().pb(1).doc("Which component."),
  host: t.string().pb(2).doc("On which node."),
});
export interface EventSource extends t.Stored<typeof EventSource> {}

export const SecretReference = t.object("io.k8s.api.core.v1.SecretReference", {
  name: t.string().pb(1).doc("Name of the secret."),
  namespace: t.string().pb(2).doc("Its namespace."),
}).atomic();
export interface SecretReference extends t.Stored<typeof SecretReference> {}
