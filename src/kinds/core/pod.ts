import { PodSpec } from "./podspec.ts";
import { PodStatus } from "./podstatus.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const Pod = defineKind({
  group: "", version: "v1", kind: "Pod", plural: "pods", namespaced: true,
  shortNames: ["po"], categories: ["all"], subresources: ["attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "resize", "status"],
  definition: "io.k8s.api.core.v1.Pod",
  doc: "",
  fields: {
    spec: PodSpec.pb(2).always("{}"),
    status: PodStatus.pb(3).always("{}"),
  },
});
export interface Pod extends Resource<typeof Pod> {}
