import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import { conditionProblems, flowSchemaProblems } from "./rules.ts";
import * as t from "../../schema/t.ts";

export const FlowDistinguisherMethod = t.object("io.k8s.api.flowcontrol.v1.FlowDistinguisherMethod", {
  type: t.string().pb(1).required().always("zero").doc("ByUser or ByNamespace."),
});
export interface FlowDistinguisherMethod extends t.Stored<typeof FlowDistinguisherMethod> {}

export const PriorityLevelConfigurationReference = t.object("io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationReference", {
  name: t.string().pb(1).required().always("zero").doc("Name of the priority level."),
});
export interface PriorityLevelConfigurationReference extends t.Stored<typeof PriorityLevelConfigurationReference> {}

export const NonResourcePolicyRule = t.object("io.k8s.api.flowcontrol.v1.NonResourcePolicyRule", {
  nonResourceURLs: t.set(t.string()).pb(6).required().always("[]").doc("Paths, in which * at the end stands for anything."),
  verbs: t.set(t.string()).pb(1).required().always("[]").doc("What is done; * is everything."),
});
export interface NonResourcePolicyRule extends t.Stored<typeof NonResourcePolicyRule> {}

export const ResourcePolicyRule = t.object("io.k8s.api.flowcontrol.v1.ResourcePolicyRule", {
  apiGroups: t.set(t.string()).pb(2).required().always("[]").doc("API groups; * is all."),
  clusterScope: t.bool().pb(4).doc("Whether requests outside of namespaces match."),
  namespaces: t.set(t.string()).pb(5).always("[]").doc("Namespaces; * is all."),
  resources: t.set(t.string()).pb(3).required().always("[]").doc("Resources; * is all."),
  verbs: t.set(t.string()).pb(1).required().always("[]").doc("What is done; * is everything."),
});
export interface ResourcePolicyRule extends t.Stored<typeof ResourcePolicyRule> {}

export const GroupSubject = t.object("io.k8s.api.flowcontrol.v1.GroupSubject", {
  name: t.string().pb(1).required().always("zero").doc("Name of the group; * is all."),
});
export interface GroupSubject extends t.Stored<typeof GroupSubject> {}

export const ServiceAccountSubject = t.object("io.k8s.api.flowcontrol.v1.ServiceAccountSubject", {
  name: t.string().pb(2).required().always("zero").doc("Name of the service account; * is all."),
  namespace: t.string().pb(1).required().always("zero").doc("Its namespace."),
});
export interface ServiceAccountSubject extends t.Stored<typeof ServiceAccountSubject> {}

export const UserSubject = t.object("io.k8s.api.flowcontrol.v1.UserSubject", {
  name: t.string().pb(1).required().always("zero").doc("Name of the user; * is all."),
});
export interface UserSubject extends t.Stored<typeof UserSubject> {}

export const FlowSubject = t.object("io.k8s.api.flowcontrol.v1.Subject", {
  group: GroupSubject.pb(3).doc("A group, if kind is Group."),
  kind: t.string().pb(1).required().always("zero").doc("User, Group or ServiceAccount."),
  serviceAccount: ServiceAccountSubject.pb(4).doc("A service account, if kind is ServiceAccount."),
  user: UserSubject.pb(2).doc("A user, if kind is User."),
}).union({ discriminator: "kind", members: {"group":"Group","serviceAccount":"ServiceAccount","user":"User"} });
export interface FlowSubject extends t.Stored<typeof FlowSubject> {}

export const PolicyRulesWithSubjects = t.object("io.k8s.api.flowcontrol.v1.PolicyRulesWithSubjects", {
  nonResourceRules: t.list(NonResourcePolicyRule).pb(3).doc("Requests to paths that are no resources."),
  resourceRules: t.list(ResourcePolicyRule).pb(2).doc("Requests to resources."),
  subjects: t.list(FlowSubject).pb(1).required().always("[]").doc("Who sends them."),
});
export interface PolicyRulesWithSubjects extends t.Stored<typeof PolicyRulesWithSubjects> {}

export const FlowSchemaSpec = t.object("io.k8s.api.flowcontrol.v1.FlowSchemaSpec", {
  distinguisherMethod: FlowDistinguisherMethod.pb(3).doc("What makes a flow of its own."),
  matchingPrecedence: t.int32().pb(2).default(1000).always("zero").doc("Which schema goes first when several match: the lowest."),
  priorityLevelConfiguration: PriorityLevelConfigurationReference.pb(1).required().always("{}").doc("The priority level of the requests."),
  rules: t.list(PolicyRulesWithSubjects).pb(4).doc("Requests that match."),
});
export interface FlowSchemaSpec extends t.Stored<typeof FlowSchemaSpec> {}

export const FlowSchemaCondition = t.object("io.k8s.api.flowcontrol.v1.FlowSchemaCondition", {
  lastTransitionTime: t.time().pb(3).always("null").doc("When the status last changed."),
  message: t.string().pb(5).doc("The same for people, in a sentence."),
  reason: t.string().pb(4).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).doc("Which aspect this is about."),
});
export interface FlowSchemaCondition extends t.Stored<typeof FlowSchemaCondition> {}

export const FlowSchemaStatus = t.object("io.k8s.api.flowcontrol.v1.FlowSchemaStatus", {
  conditions: t.listBy(FlowSchemaCondition, "type").pb(1).mergeBy("type").doc("What is known about the object, one entry per aspect."),
});
export interface FlowSchemaStatus extends t.Stored<typeof FlowSchemaStatus> {}

export const FlowSchema = defineKind({
  group: "flowcontrol.apiserver.k8s.io", version: "v1", kind: "FlowSchema", plural: "flowschemas", namespaced: false,
  statusAlone: true,
  subresources: ["status"],
  generation: true,
  definition: "io.k8s.api.flowcontrol.v1.FlowSchema",
  doc: "Sorts requests into levels of priority.",
  fields: {
    spec: FlowSchemaSpec.pb(2).always("{}").doc("Which requests, and how they are treated."),
    status: FlowSchemaStatus.pb(3).always("{}").doc("Whether something is wrong with it."),
  },
  rules: ({ metadata, spec, status }, _previous, { subresource }) => [...(subresource === "status" ? [] : flowSchemaProblems(metadata.name, spec)), ...conditionProblems(status.conditions)],
  tableOrder: (a, b) => a.spec.matchingPrecedence - b.spec.matchingPrecedence || (a.metadata.name < b.metadata.name ? -1 : 1),
  columns: [
    nameColumn,
    { name: "PriorityLevel", type: "string", doc: "The level it sorts into.", cell: ({ spec }) => spec.priorityLevelConfiguration.name },
    { name: "MatchingPrecedence", type: "string", doc: "Lower is asked first.", cell: ({ spec }) => spec.matchingPrecedence },
    { name: "DistinguisherMethod", type: "string", doc: "How flows are told apart.", cell: ({ spec }) => spec.distinguisherMethod?.type ?? "<none>" },
    ageColumn,
    { name: "MissingPL", type: "string", doc: "Whether its level is missing.", cell: ({ status }) => status.conditions?.find(({ type }) => type === "Dangling")?.status ?? "?" },
  ],
});
export interface FlowSchema extends Resource<typeof FlowSchema> {}
