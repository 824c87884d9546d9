import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import { conditionProblems, priorityLevelProblems } from "./rules.ts";
import * as t from "../../schema/t.ts";

export const ExemptPriorityLevelConfiguration = t.object("io.k8s.api.flowcontrol.v1.ExemptPriorityLevelConfiguration", {
  lendablePercent: t.int32().pb(2).pointer().doc("How much of its share may be lent to others."),
  nominalConcurrencyShares: t.int32().pb(1).pointer().doc("Its share of all requests served at once."),
});
export interface ExemptPriorityLevelConfiguration extends t.Stored<typeof ExemptPriorityLevelConfiguration> {}

export const QueuingConfiguration = t.object("io.k8s.api.flowcontrol.v1.QueuingConfiguration", {
  handSize: t.int32().pb(2).default(8).always("zero").doc("How many queues a flow is dealt."),
  queueLengthLimit: t.int32().pb(3).default(50).always("zero").doc("How many requests may wait in one queue."),
  queues: t.int32().pb(1).default(64).always("zero").doc("How many queues there are."),
});
export interface QueuingConfiguration extends t.Stored<typeof QueuingConfiguration> {}

export const LimitResponse = t.object("io.k8s.api.flowcontrol.v1.LimitResponse", {
  queuing: QueuingConfiguration.pb(2).doc("How requests wait, if type is Queue."),
  type: t.string().pb(1).required().always("zero").doc("Whether requests that are too many wait (Queue) or fail (Reject)."),
}).union({ discriminator: "type", members: {"queuing":"Queuing"} });
export interface LimitResponse extends t.Stored<typeof LimitResponse> {}

export const LimitedPriorityLevelConfiguration = t.object("io.k8s.api.flowcontrol.v1.LimitedPriorityLevelConfiguration", {
  borrowingLimitPercent: t.int32().pb(4).pointer().doc("How much more than its share it may borrow."),
  lendablePercent: t.int32().pb(3).pointer().doc("How much of its share may be lent to others."),
  limitResponse: LimitResponse.pb(2).always("{}").doc("What happens with requests that are too many."),
  nominalConcurrencyShares: t.int32().pb(1).pointer().always("null").doc("Its share of all requests served at once."),
});
export interface LimitedPriorityLevelConfiguration extends t.Stored<typeof LimitedPriorityLevelConfiguration> {}

export const PriorityLevelConfigurationSpec = t.object("io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec", {
  exempt: ExemptPriorityLevelConfiguration.pb(3).doc("How it goes if exempt."),
  limited: LimitedPriorityLevelConfiguration.pb(2).doc("How it goes if limited."),
  type: t.string().pb(1).required().always("zero").doc("Limited or Exempt."),
}).union({ discriminator: "type", members: {"exempt":"Exempt","limited":"Limited"} });
export interface PriorityLevelConfigurationSpec extends t.Stored<typeof PriorityLevelConfigurationSpec> {}

export const PriorityLevelConfigurationCondition = t.object("io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationCondition", {
  lastTransitionTime: t.time().pb(3).always("null").doc("When the status last changed."),
  message: t.string().pb(5).doc("The same for people, in a sentence."),
  reason: t.string().pb(4).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).doc("Which aspect this is about."),
});
export interface PriorityLevelConfigurationCondition extends t.Stored<typeof PriorityLevelConfigurationCondition> {}

export const PriorityLevelConfigurationStatus = t.object("io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationStatus", {
  conditions: t.listBy(PriorityLevelConfigurationCondition, "type").pb(1).mergeBy("type").doc("What is known about the object, one entry per aspect."),
});
export interface PriorityLevelConfigurationStatus extends t.Stored<typeof PriorityLevelConfigurationStatus> {}

export const PriorityLevelConfiguration = defineKind({
  group: "flowcontrol.apiserver.k8s.io", version: "v1", kind: "PriorityLevelConfiguration", plural: "prioritylevelconfigurations", namespaced: false,
  statusAlone: true,
  subresources: ["status"],
  generation: true,
  definition: "io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration",
  doc: "How much of the server a level of priority may use.",
  fields: {
    spec: PriorityLevelConfigurationSpec.pb(2).always("{}").doc("How many requests are served at once."),
    status: PriorityLevelConfigurationStatus.pb(3).always("{}").doc("Whether something is wrong with it."),
  },
  defaults({ spec }) {
    if (spec.exempt !== undefined) spec.exempt = { nominalConcurrencyShares: 0, lendablePercent: 0, ...spec.exempt };
    const { limited } = spec;
    if (limited === undefined) return;
    limited.nominalConcurrencyShares ??= 30;
    limited.lendablePercent ??= 0;
    if (limited.limitResponse.queuing !== undefined) limited.limitResponse.queuing = { ...limited.limitResponse.queuing, handSize: limited.limitResponse.queuing.handSize || 8, queues: limited.limitResponse.queuing.queues || 64, queueLengthLimit: limited.limitResponse.queuing.queueLengthLimit || 50 };
  },
  rules: ({ metadata, spec, status }, _previous, { subresource }) => [...(subresource === "status" ? [] : priorityLevelProblems(metadata.name, spec)), ...conditionProblems(status.conditions)],
  columns: [
    nameColumn,
    { name: "Type", type: "string", doc: "Limited or not.", cell: ({ spec }) => spec.type },
    { name: "NominalConcurrencyShares", type: "string", doc: "Its share of the server.", cell: ({ spec }) => spec.limited?.nominalConcurrencyShares ?? "<none>" },
    { name: "Queues", type: "string", doc: "Number of queues.", cell: ({ spec }) => spec.limited?.limitResponse.queuing?.queues ?? "<none>" },
    { name: "HandSize", type: "string", doc: "Queues that one flow may use.", cell: ({ spec }) => spec.limited?.limitResponse.queuing?.handSize ?? "<none>" },
    { name: "QueueLengthLimit", type: "string", doc: "Requests that one queue holds.", cell: ({ spec }) => spec.limited?.limitResponse.queuing?.queueLengthLimit ?? "<none>" },
    ageColumn,
  ],
});
export interface PriorityLevelConfiguration extends Resource<typeof PriorityLevelConfiguration> {}
