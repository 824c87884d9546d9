import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, invalidValue, notSupported } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const PriorityClass = defineKind({
  group: "scheduling.k8s.io", version: "v1", kind: "PriorityClass", plural: "priorityclasses", namespaced: false,
  shortNames: ["pc"],
  generation: "first",
  definition: "io.k8s.api.scheduling.v1.PriorityClass",
  doc: "A name for how important pods are.",
  fields: {
    description: t.string().pb(4).doc("When to use the class."),
    globalDefault: t.bool().pb(3).doc("Whether it is for pods that name no class."),
    preemptionPolicy: t.oneOf("Never", "PreemptLowerPriority").pb(5).pointer().default("PreemptLowerPriority").unchecked().doc("Whether such pods may evict pods of lower priority."),
    value: t.int32().pb(2).always("zero").doc("The priority; higher goes first."),
  },
  *rules(next, previous) {
    const name = next.metadata.name ?? "";
    const system = name.startsWith("system-");
    if (previous === undefined && system && !["system-cluster-critical", "system-node-critical"].includes(name)) yield forbidden("metadata.name", "priority class names with 'system-' prefix are reserved for system use only. error: " + `${name} is not a known system priority class`);
    if (previous === undefined && !system && next.value > 1_000_000_000) yield forbidden("value", "maximum allowed value of a user defined priority is 1000000000");
    if (previous === undefined && !["Never", "PreemptLowerPriority"].includes(next.preemptionPolicy)) yield notSupported("preemptionPolicy", next.preemptionPolicy, ["PreemptLowerPriority", "Never"]);
    if (previous !== undefined && next.value !== previous.value) yield forbidden("value", "may not be changed in an update.");
    if (previous !== undefined && next.preemptionPolicy !== previous.preemptionPolicy) yield invalidValue("preemptionPolicy", next.preemptionPolicy, "field is immutable");
  },
  columns: [
    nameColumn,
    { name: "Value", type: "integer", doc: "The priority; more goes first.", cell: ({ value }) => value },
    { name: "Global-Default", type: "boolean", doc: "Whether pods without a class get it.", cell: ({ globalDefault }) => globalDefault ?? false },
    ageColumn,
    { name: "PreemptionPolicy", type: "string", doc: "Whether its pods may push others out.", cell: ({ preemptionPolicy }) => preemptionPolicy },
  ],
});
export interface PriorityClass extends Resource<typeof PriorityClass> {}
