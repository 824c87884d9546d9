import { LabelSelector } from "../meta/labelselector.ts";
import * as t from "../../schema/t.ts";

export const ServiceReference = t.object("io.k8s.api.admissionregistration.v1.ServiceReference", {
  name: t.string().pb(2).required().always("zero").doc("Name of the service."),
  namespace: t.string().pb(1).required().always("zero").doc("Its namespace."),
  path: t.string().pb(3).pointer().doc("Path of the URL."),
  port: t.int32().pb(4).pointer().doc("Port of the service."),
});
export interface ServiceReference extends t.Stored<typeof ServiceReference> {}

export const WebhookClientConfig = t.object("io.k8s.api.admissionregistration.v1.WebhookClientConfig", {
  caBundle: t.bytes().pb(2).doc("Authorities that its certificate is checked against, as PEM in base64."),
  service: ServiceReference.pb(1).doc("A service of the cluster that answers."),
  url: t.string().pb(3).pointer().doc("Where it is reached, if not by a service."),
});
export interface WebhookClientConfig extends t.Stored<typeof WebhookClientConfig> {}

export const MatchCondition = t.object("io.k8s.api.admissionregistration.v1.MatchCondition", {
  expression: t.string().pb(2).required().always("zero").doc("A CEL expression."),
  name: t.string().pb(1).required().always("zero").doc("What errors call it."),
});
export interface MatchCondition extends t.Stored<typeof MatchCondition> {}

export const RuleWithOperations = t.object("io.k8s.api.admissionregistration.v1.RuleWithOperations", {
  apiGroups: t.list(t.string()).pb(1).within(2).doc("API groups; * is all."),
  apiVersions: t.list(t.string()).pb(2).within(2).doc("API versions; * is all."),
  operations: t.list(t.oneOf("*", "CONNECT", "CREATE", "DELETE", "UPDATE")).pb(1).doc("CREATE, UPDATE, DELETE, CONNECT, or * for all."),
  resources: t.list(t.string()).pb(3).within(2).doc("Resources, such as pods or pods/log; * is all but subresources."),
  scope: t.oneOf("*", "Cluster", "Namespaced").pb(4).within(2).pointer().doc("Whether objects of namespaces, of the cluster, or all."),
});
export interface RuleWithOperations extends t.Stored<typeof RuleWithOperations> {}

export const NamedRuleWithOperations = t.object("io.k8s.api.admissionregistration.v1.NamedRuleWithOperations", {
  apiGroups: t.list(t.string()).pb(1).within(2, 2).doc("API groups; * is all."),
  apiVersions: t.list(t.string()).pb(2).within(2, 2).doc("API versions; * is all."),
  operations: t.list(t.oneOf("*", "CONNECT", "CREATE", "DELETE", "UPDATE")).pb(1).within(2).doc("CREATE, UPDATE, DELETE, CONNECT, or * for all."),
  resourceNames: t.list(t.string()).pb(1).doc("Names of objects; all if empty."),
  resources: t.list(t.string()).pb(3).within(2, 2).doc("Resources, such as pods or pods/log; * is all but subresources."),
  scope: t.oneOf("*", "Cluster", "Namespaced").pb(4).within(2, 2).pointer().doc("Whether objects of namespaces, of the cluster, or all."),
}).atomic();
export interface NamedRuleWithOperations extends t.Stored<typeof NamedRuleWithOperations> {}

export const MatchResources = t.object("io.k8s.api.admissionregistration.v1.MatchResources", {
  excludeResourceRules: t.list(NamedRuleWithOperations).pb(4).doc("Requests that do not match, whatever the rest says."),
  matchPolicy: t.oneOf("Equivalent", "Exact").pb(7).pointer().doc("Whether requests to other versions of a resource match too: Equivalent, or Exact."),
  namespaceSelector: LabelSelector.pb(1).doc("Namespaces whose objects match, by their labels."),
  objectSelector: LabelSelector.pb(2).doc("Objects that match, by their labels."),
  resourceRules: t.list(NamedRuleWithOperations).pb(3).doc("Requests that match."),
}).atomic();
export interface MatchResources extends t.Stored<typeof MatchResources> {}

export const ParamKind = t.object("io.k8s.api.admissionregistration.v1.ParamKind", {
  apiVersion: t.string().pb(1).doc("API version of the parameters."),
  kind: t.string().pb(2).doc("Kind of the parameters."),
}).atomic();
export interface ParamKind extends t.Stored<typeof ParamKind> {}

export const Variable = t.object("io.k8s.api.admissionregistration.v1.Variable", {
  expression: t.string().pb(2).required().always("zero").doc("A CEL expression."),
  name: t.string().pb(1).required().always("zero").doc("Name of the variable, used as variables.name."),
}).atomic();
export interface Variable extends t.Stored<typeof Variable> {}

export const ParamRef = t.object("io.k8s.api.admissionregistration.v1.ParamRef", {
  name: t.string().pb(1).doc("Name of the parameters."),
  namespace: t.string().pb(2).doc("Their namespace; that of the request if empty."),
  parameterNotFoundAction: t.string().pb(4).pointer().doc("What happens when there are none: Allow or Deny."),
  selector: LabelSelector.pb(3).doc("Labels of the parameters, instead of a name."),
}).atomic();
export interface ParamRef extends t.Stored<typeof ParamRef> {}

export const ApplyConfiguration = t.object("io.k8s.api.admissionregistration.v1.ApplyConfiguration", {
  expression: t.string().pb(1).doc("A CEL expression whose value is applied to the object."),
});
export interface ApplyConfiguration extends t.Stored<typeof ApplyConfiguration> {}

export const JSONPatch = t.object("io.k8s.api.admissionregistration.v1.JSONPatch", {
  expression: t.string().pb(1).doc("A CEL expression whose value is a list of JSON patch operations."),
});
export interface JSONPatch extends t.Stored<typeof JSONPatch> {}
