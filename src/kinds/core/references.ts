import * as t from "../../schema/t.ts";

export const NodeSelectorRequirement = t.object("io.k8s.api.core.v1.NodeSelectorRequirement", {
  key: t.string().pb(1).required().always("zero"),
  operator: t.oneOf("DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn").pb(2).required().always("zero"),
  values: t.list(t.string()).pb(3),
});
export interface NodeSelectorRequirement extends t.Stored<typeof NodeSelectorRequirement> {}

export const NodeSelectorTerm = t.object("io.k8s.api.core.v1.NodeSelectorTerm", {
  matchExpressions: t.list(NodeSelectorRequirement).pb(1),
  matchFields: t.list(NodeSelectorRequirement).pb(2),
}).atomic();
export interface NodeSelectorTerm extends t.Stored<typeof NodeSelectorTerm> {}

export const NodeSelector = t.object("io.k8s.api.core.v1.NodeSelector", {
  nodeSelectorTerms: t.list(NodeSelectorTerm).pb(1).required().always("[]"),
}).atomic();
export interface NodeSelector extends t.Stored<typeof NodeSelector> {}

export const ObjectFieldSelector = t.object("io.k8s.api.core.v1.ObjectFieldSelector", {
  apiVersion: t.string().pb(1).default("v1"),
  fieldPath: t.string().pb(2).required().always("zero"),
}).atomic();
export interface ObjectFieldSelector extends t.Stored<typeof ObjectFieldSelector> {}

export const ResourceFieldSelector = t.object("io.k8s.api.core.v1.ResourceFieldSelector", {
  containerName: t.string().pb(1),
  divisor: t.quantity().pb(3).always("zero"),
  resource: t.string().pb(2).required().always("zero"),
}).atomic();
export interface ResourceFieldSelector extends t.Stored<typeof ResourceFieldSelector> {}

export const LocalObjectReference = t.object("io.k8s.api.core.v1.LocalObjectReference", {
  name: t.string().pb(1).default("", "published"),
}).atomic();
export interface LocalObjectReference extends t.Stored<typeof LocalObjectReference> {}

export const TypedLocalObjectReference = t.object("io.k8s.api.core.v1.TypedLocalObjectReference", {
  apiGroup: t.string().pb(1).pointer(),
  kind: t.string().pb(2).required().always("zero"),
  name: t.string().pb(3).required().always("zero"),
}).atomic();
export interface TypedLocalObjectReference extends t.Stored<typeof TypedLocalObjectReference> {}

export const TypedObjectReference = t.object("io.k8s.api.core.v1.TypedObjectReference", {
  apiGroup: t.string().pb(1).pointer(),
  kind: t.string().pb(2).required().always("zero"),
  name: t.string().pb(3).required().always("zero"),
  namespace: t.string().pb(4).pointer(),
});
export interface TypedObjectReference extends t.Stored<typeof TypedObjectReference> {}

export const ObjectReference = t.object("io.k8s.api.core.v1.ObjectReference", {
  apiVersion: t.string().pb(5),
  fieldPath: t.string().pb(7),
  kind: t.string().pb(1),
  name: t.string().pb(3),
  namespace: t.string().pb(2),
  resourceVersion: t.string().pb(6),
  uid: t.string().pb(4),
}).atomic();
export interface ObjectReference extends t.Stored<typeof ObjectReference> {}

export const EventSource = t.object("io.k8s.api.core.v1.EventSource", {
  component: t.string().pb(1),
  host: t.string().pb(2),
});
export interface EventSource extends t.Stored<typeof EventSource> {}

export const SecretReference = t.object("io.k8s.api.core.v1.SecretReference", {
  name: t.string().pb(1),
  namespace: t.string().pb(2),
}).atomic();
export interface SecretReference extends t.Stored<typeof SecretReference> {}
