import { Toleration } from "../core/toleration.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { dnsLabel } from "../../schema/grammar.ts";
import { duplicate, invalidValue, required } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import { validateRequirements } from "../core/resourcerules.ts";
import { validateLabels } from "../meta/rules.ts";
import { oldLabels } from "../core/podwarnings.ts";
import { validateTolerations } from "../core/affinityrules.ts";
import { sameJson } from "../../base/json.ts";
import * as t from "../../schema/t.ts";

export const Overhead = t.object("io.k8s.api.node.v1.Overhead", {
  podFixed: t.map(t.quantity()).pb(1).doc("What every pod takes besides its containers, by resource."),
});
export interface Overhead extends t.Stored<typeof Overhead> {}

export const Scheduling = t.object("io.k8s.api.node.v1.Scheduling", {
  nodeSelector: t.map(t.string()).pb(1).atomic().doc("Labels of the nodes that have the runtime."),
  tolerations: t.list(Toleration).pb(2).doc("Taints of those nodes, which its pods get to tolerate."),
});
export interface Scheduling extends t.Stored<typeof Scheduling> {}

export const RuntimeClass = defineKind({
  group: "node.k8s.io", version: "v1", kind: "RuntimeClass", plural: "runtimeclasses", namespaced: false,
  conditionalUpdate: true,
  definition: "io.k8s.api.node.v1.RuntimeClass",
  doc: "A way of running containers, by name.",
  fields: {
    handler: t.string().pb(2).required().always("zero").doc("What the container runtime calls it."),
    overhead: Overhead.pb(3).doc("What pods take besides their containers."),
    scheduling: Scheduling.pb(4).doc("Nodes that have the runtime."),
  },
  *rules(next, previous) {
    if (next.handler === "") yield required("handler");
    else for (const detail of dnsLabel(next.handler)) yield invalidValue("handler", next.handler, detail);
    if (next.overhead !== undefined) yield* validateRequirements({ limits: next.overhead.podFixed }, new Set(), "overhead");
    yield* validateLabels(next.scheduling?.nodeSelector, "scheduling.nodeSelector");
    yield* validateTolerations(next.scheduling?.tolerations, "scheduling.tolerations");
    const tolerations = next.scheduling?.tolerations ?? [];
    for (const [i, toleration] of tolerations.entries()) if (tolerations.findIndex(other => sameJson(other, toleration)) < i) yield duplicate(`scheduling.tolerations[${i}]`, toleration);
    if (previous !== undefined && next.handler !== previous.handler) yield invalidValue("handler", next.handler, "field is immutable");
  },
  *warnings({ scheduling }) {
    for (const key of Object.keys(scheduling?.nodeSelector ?? {})) if (oldLabels.has(key)) yield `scheduling.nodeSelector: ${oldLabels.get(key)!}`;
  },
  columns: [nameColumn, { name: "Handler", type: "string", doc: "What the node calls it.", cell: ({ handler }) => handler }, ageColumn],
});
export interface RuntimeClass extends Resource<typeof RuntimeClass> {}
