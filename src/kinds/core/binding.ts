import { ObjectReference } from "./references.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const Binding = defineKind({
  group: "", version: "v1", kind: "Binding", plural: "bindings", namespaced: true,
  verbs: ["create"], virtual: true,
  definition: "io.k8s.api.core.v1.Binding",
  doc: "Ties a pod to a node; sent by schedulers.",
  fields: {
    target: ObjectReference.pb(2).required().always("{}"),
  },

});
export interface Binding extends Resource<typeof Binding> {}
