import { LabelSelector } from "../meta/labelselector.ts";
import * as t from "../../schema/t.ts";

export const ServiceReference = t.object("io.k8s.api.admissionregistration.v1.ServiceReference", {
  name: t.string().pb(2).required().always("zero"),
  namespace: t.string().pb(1).required().always("zero"),
  path: t.string().pb(3).pointer(),
  port: t.int32().pb(4).pointer(),
});
export interface ServiceReference extends t.Stored<typeof ServiceReference> {}

export const WebhookClientConfig = t.object("io.k8s.api.admissionregistration.v1.WebhookClientConfig", {
  caBundle: t.bytes().pb(2),
  service: ServiceReference.pb(1),
  url: t.string().pb(3).pointer(),
});
export interface WebhookClientConfig extends t.Stored<typeof WebhookClientConfig> {}

export const MatchCondition = t.object("io.k8s.api.admissionregistration.v1.MatchCondition", {
  expression: t.string().pb(2).required().always("zero"),
  name: t.string().pb(1).required().always("zero"),
});
export interface MatchCondition extends t.Stored<typeof MatchCondition> {}

export const RuleWithOperations = t.object("io.k8s.api.admissionregistration.v1.RuleWithOperations", {
  apiGroups: t.list(t.string()).pb(1).within(2),
  apiVersions: t.list(t.string()).pb(2).within(2),
  operations: t.list(t.oneOf("*", "CONNECT", "CREATE", "DELETE", "UPDATE")).pb(1),
  resources: t.list(t.string()).pb(3).within(2),
  scope: t.oneOf("*", "Cluster", "Namespaced").pb(4).within(2).pointer(),
});
export interface RuleWithOperations extends t.Stored<typeof RuleWithOperations> {}

export const NamedRuleWithOperations = t.object("io.k8s.api.admissionregistration.v1.NamedRuleWithOperations", {
  apiGroups: t.list(t.string()).pb(1).within(2, 2),
  apiVersions: t.list(t.string()).pb(2).within(2, 2),
  operations: t.list(t.oneOf("*", "CONNECT", "CREATE", "DELETE", "UPDATE")).pb(1).within(2),
  resourceNames: t.list(t.string()).pb(1),
  resources: t.list(t.string()).pb(3).within(2, 2),
  scope: t.oneOf("*", "Cluster", "Namespaced").pb(4).within(2, 2).pointer(),
}).atomic();
export interface NamedRuleWithOperations extends t.Stored<typeof NamedRuleWithOperations> {}

export const MatchResources = t.object("io.k8s.api.admissionregistration.v1.MatchResources", {
  excludeResourceRules: t.list(NamedRuleWithOperations).pb(4),
  matchPolicy: t.oneOf("Equivalent", "Exact").pb(7).pointer(),
  namespaceSelector: LabelSelector.pb(1),
  objectSelector: LabelSelector.pb(2),
  resourceRules: t.list(NamedRuleWithOperations).pb(3),
}).atomic();
export interface MatchResources extends t.Stored<typeof MatchResources> {}

export const ParamKind = t.object("io.k8s.api.admissionregistration.v1.ParamKind", {
  apiVersion: t.string().pb(1),
  kind: t.string().pb(2),
}).atomic();
export interface ParamKind extends t.Stored<typeof ParamKind> {}

export const Variable = t.object("io.k8s.api.admissionregistration.v1.Variable", {
  expression: t.string().pb(2).required().always("zero"),
  name: t.string().pb(1).required().always("zero"),
}).atomic();
export interface Variable extends t.Stored<typeof Variable> {}

export const ParamRef = t.object("io.k8s.api.admissionregistration.v1.ParamRef", {
  name: t.string().pb(1),
  namespace: t.string().pb(2),
  parameterNotFoundAction: t.string().pb(4).pointer(),
  selector: LabelSelector.pb(3),
}).atomic();
export interface ParamRef extends t.Stored<typeof ParamRef> {}

export const ApplyConfiguration = t.object("io.k8s.api.admissionregistration.v1.ApplyConfiguration", {
  expression: t.string().pb(1),
});
export interface ApplyConfiguration extends t.Stored<typeof ApplyConfiguration> {}

export const JSONPatch = t.object("io.k8s.api.admissionregistration.v1.JSONPatch", {
  expression: t.string().pb(1),
});
export interface JSONPatch extends t.Stored<typeof JSONPatch> {}
