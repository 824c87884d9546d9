import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, invalidValue, notSupported, required } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ExemptPriorityLevelConfiguration = t.object("io.k8s.api.flowcontrol.v1.ExemptPriorityLevelConfiguration", {
  lendablePercent: t.int32().pb(2).pointer(),
  nominalConcurrencyShares: t.int32().pb(1).pointer(),
});
export interface ExemptPriorityLevelConfiguration extends t.Stored<typeof ExemptPriorityLevelConfiguration> {}

export const QueuingConfiguration = t.object("io.k8s.api.flowcontrol.v1.QueuingConfiguration", {
  handSize: t.int32().pb(2).default(8).always("zero"),
  queueLengthLimit: t.int32().pb(3).default(50).always("zero"),
  queues: t.int32().pb(1).default(64).always("zero"),
});
export interface QueuingConfiguration extends t.Stored<typeof QueuingConfiguration> {}

export const LimitResponse = t.object("io.k8s.api.flowcontrol.v1.LimitResponse", {
  queuing: QueuingConfiguration.pb(2),
  type: t.string().pb(1).required().always("zero"),
}).union({ discriminator: "type", members: {"queuing":"Queuing"} });
export interface LimitResponse extends t.Stored<typeof LimitResponse> {}

export const LimitedPriorityLevelConfiguration = t.object("io.k8s.api.flowcontrol.v1.LimitedPriorityLevelConfiguration", {
  borrowingLimitPercent: t.int32().pb(4).pointer(),
  lendablePercent: t.int32().pb(3).pointer(),
  limitResponse: LimitResponse.pb(2).always("{}"),
  nominalConcurrencyShares: t.int32().pb(1).pointer(),
});
export interface LimitedPriorityLevelConfiguration extends t.Stored<typeof LimitedPriorityLevelConfiguration> {}

export const PriorityLevelConfigurationSpec = t.object("io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec", {
  exempt: ExemptPriorityLevelConfiguration.pb(3),
  limited: LimitedPriorityLevelConfiguration.pb(2),
  type: t.string().pb(1).required().always("zero"),
}).union({ discriminator: "type", members: {"exempt":"Exempt","limited":"Limited"} });
export interface PriorityLevelConfigurationSpec extends t.Stored<typeof PriorityLevelConfigurationSpec> {}

export const PriorityLevelConfigurationCondition = t.object("io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationCondition", {
  lastTransitionTime: t.time().pb(3).always("null"),
  message: t.string().pb(5),
  reason: t.string().pb(4),
  status: t.string().pb(2),
  type: t.string().pb(1),
});
export interface PriorityLevelConfigurationCondition extends t.Stored<typeof PriorityLevelConfigurationCondition> {}

export const PriorityLevelConfigurationStatus = t.object("io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationStatus", {
  conditions: t.listBy(PriorityLevelConfigurationCondition, "type").pb(1).mergeBy("type"),
});
export interface PriorityLevelConfigurationStatus extends t.Stored<typeof PriorityLevelConfigurationStatus> {}

export const PriorityLevelConfiguration = defineKind({
  group: "flowcontrol.apiserver.k8s.io", version: "v1", kind: "PriorityLevelConfiguration", plural: "prioritylevelconfigurations", namespaced: false,
  subresources: ["status"],
  generation: true,
  definition: "io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration",
  doc: "How much of the server a level of priority may use.",
  fields: {
    spec: PriorityLevelConfigurationSpec.pb(2).always("{}"),
    status: PriorityLevelConfigurationStatus.pb(3).always("{}"),
  },
  defaults({ spec }) {
    if (spec.exempt !== undefined) spec.exempt = { nominalConcurrencyShares: 0, lendablePercent: 0, ...spec.exempt };
    const { limited } = spec;
    if (limited === undefined) return;
    limited.nominalConcurrencyShares ??= 30;
    limited.lendablePercent ??= 0;
    if (limited.limitResponse.queuing !== undefined) limited.limitResponse.queuing = { ...limited.limitResponse.queuing, handSize: limited.limitResponse.queuing.handSize || 8, queues: limited.limitResponse.queuing.queues || 64, queueLengthLimit: limited.limitResponse.queuing.queueLengthLimit || 50 };
  },
  *rules({ spec }) {
    if (spec.type === "Exempt" && spec.limited !== undefined) yield forbidden("spec.limited", "must be nil if the type is Exempt");
    if (spec.type === "Limited" && spec.limited === undefined) yield required("spec.limited", "must not be empty when type is Limited");
    if (spec.type !== "Exempt" && spec.type !== "Limited") yield notSupported("spec.type", spec.type, ["Exempt", "Limited"]);
    const queuing = spec.limited?.limitResponse.queuing;
    if (spec.limited?.limitResponse.type === "Queue" && queuing === undefined) yield required("spec.limited.limitResponse.queuing", "must not be empty if limited.limitResponse.type is Queue");
    if (queuing !== undefined && queuing.handSize > queuing.queues) yield invalidValue("spec.limited.limitResponse.queuing.handSize", queuing.handSize, `should not be greater than queues (${queuing.queues})`);
  },
  columns: [
    nameColumn,
    { name: "Type", type: "string", doc: "Limited or not.", cell: ({ spec }) => spec.type },
    { name: "NominalConcurrencyShares", type: "string", doc: "Its share of the server.", cell: ({ spec }) => String(spec.limited?.nominalConcurrencyShares ?? spec.exempt?.nominalConcurrencyShares ?? "<none>") },
    { name: "Queues", type: "string", doc: "Number of queues.", cell: ({ spec }) => String(spec.limited?.limitResponse.queuing?.queues ?? "<none>") },
    { name: "HandSize", type: "string", doc: "Queues that one flow may use.", cell: ({ spec }) => String(spec.limited?.limitResponse.queuing?.handSize ?? "<none>") },
    { name: "QueueLengthLimit", type: "string", doc: "Requests that one queue holds.", cell: ({ spec }) => String(spec.limited?.limitResponse.queuing?.queueLengthLimit ?? "<none>") },
    ageColumn,
  ],
});
export interface PriorityLevelConfiguration extends Resource<typeof PriorityLevelConfiguration> {}
