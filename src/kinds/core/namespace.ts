import { ageColumn, nameColumn } from "../columns.ts";
import { qualifiedName } from "../../schema/grammar.ts";
import { invalidValue } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const NamespaceSpec = t.object("io.k8s.api.core.v1.NamespaceSpec", {
  finalizers: t.list(t.string()).pb(1).doc("What has to be done before the namespace is gone."),
});
export interface NamespaceSpec extends t.Stored<typeof NamespaceSpec> {}

export const NamespaceCondition = t.object("io.k8s.api.core.v1.NamespaceCondition", {
  lastTransitionTime: t.time().pb(4).always("null").doc("When the status last changed."),
  message: t.string().pb(6).doc("The same for people, in a sentence."),
  reason: t.string().pb(5).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface NamespaceCondition extends t.Stored<typeof NamespaceCondition> {}

export const NamespaceStatus = t.object("io.k8s.api.core.v1.NamespaceStatus", {
  conditions: t.listBy(NamespaceCondition, "type").pb(2).mergeBy("type").doc("What is known about the object, one entry per aspect."),
  phase: t.oneOf("Active", "Terminating").pb(1).default("Active").doc("Active, or Terminating once deleted."),
});
export interface NamespaceStatus extends t.Stored<typeof NamespaceStatus> {}

export const Namespace = defineKind({
  group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false,
  shortNames: ["ns"], verbs: ["create", "delete", "get", "list", "patch", "update", "watch"], subresources: ["finalize", "status"],
  definition: "io.k8s.api.core.v1.Namespace",
  doc: "A space of names, with its own policies and quotas.",
  fields: {
    spec: NamespaceSpec.pb(2).always("{}").doc("What has to happen before it goes."),
    status: NamespaceStatus.pb(3).always("{}").doc("Whether it is in use or going."),
  },
  nameGrammar: "dns-1123-label",
  defaults(namespace) {
    const { name } = namespace.metadata;
    if (name) namespace.metadata.labels = { ...namespace.metadata.labels, "kubernetes.io/metadata.name": name };
  },
  prepare(next, previous, { subresource }) {
    if (previous === undefined) {
      next.status = { phase: "Active" };
      next.spec.finalizers = [...new Set([...(next.spec.finalizers ?? []), "kubernetes"])];
    } else if (subresource !== "finalize") next.spec = previous.spec;
  },
  *rules(next, _previous, { subresource }) {
    for (const [i, name] of (subresource === "status" ? [] : (next.spec.finalizers ?? [])).entries()) {
      const path = subresource === "finalize" ? `spec.finalizers[${i}]` : "spec.finalizers";
      for (const detail of qualifiedName(name)) yield invalidValue(path, name, detail);
      if (!name.includes("/") && !["kubernetes", "orphan", "foregroundDeletion"].includes(name)) yield invalidValue(path, name, "name is neither a standard finalizer name nor is it fully qualified");
    }
    if (subresource !== "status") return;
    const deleted = next.metadata.deletionTimestamp !== undefined;
    if (!deleted && next.status.phase !== "Active") yield invalidValue("status.Phase", next.status.phase, "may only be 'Active' if `deletionTimestamp` is empty");
    if (deleted && next.status.phase !== "Terminating") yield invalidValue("status.Phase", next.status.phase, "may only be 'Terminating' if `deletionTimestamp` is not empty");
  },
  selectable: { "status.phase": namespace => namespace.status.phase, name: namespace => namespace.metadata.name },
  columns: [
    nameColumn,
    { name: "Status", type: "string", doc: "Whether the namespace is in use or going away.", cell: namespace => namespace.status.phase },
    ageColumn,
  ],
});
export interface Namespace extends Resource<typeof Namespace> {}
