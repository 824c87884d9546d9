import { ObjectReference } from "./references.ts";
import { notSupported, required } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";

export const Binding = defineKind({
  group: "", version: "v1", kind: "Binding", plural: "bindings", namespaced: true,
  verbs: ["create"], virtual: true,
  definition: "io.k8s.api.core.v1.Binding",
  doc: "Ties a pod to a node; sent by schedulers.",
  fields: {
    target: ObjectReference.pb(2).required().always("{}").doc("The node, or other object, that the pod is bound to."),
  },

  *rules({ target }) {
    if (target.kind && target.kind !== "Node") yield notSupported("target.kind", target.kind, ["Node", "<empty>"]);
    if (!target.name) yield required("target.name");
  },
});
export interface Binding extends Resource<typeof Binding> {}
