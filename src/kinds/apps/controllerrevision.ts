import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ControllerRevision = defineKind({
  group: "apps", version: "v1", kind: "ControllerRevision", plural: "controllerrevisions", namespaced: true,
  definition: "io.k8s.api.apps.v1.ControllerRevision",
  doc: "",
  fields: {
    data: t.rawExtension().pb(2).always("zero"),
    revision: t.int64().pb(3).required().always("zero"),
  },
});
export interface ControllerRevision extends Resource<typeof ControllerRevision> {}
