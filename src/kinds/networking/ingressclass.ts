import { ageColumn, nameColumn } from "../columns.ts";
import { invalidValue, required } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const IngressClassParametersReference = t.object("io.k8s.api.networking.v1.IngressClassParametersReference", {
  apiGroup: t.string().pb(1).pointer().doc("API group of the object; empty is the core group."),
  kind: t.string().pb(2).required().always("zero").doc("Kind of the object."),
  name: t.string().pb(3).required().always("zero").doc("Its name."),
  namespace: t.string().pb(5).pointer().doc("Its namespace, if scope is Namespace."),
  scope: t.string().pb(4).pointer().default("Cluster").doc("Cluster or Namespace."),
});
export interface IngressClassParametersReference extends t.Stored<typeof IngressClassParametersReference> {}

export const IngressClassSpec = t.object("io.k8s.api.networking.v1.IngressClassSpec", {
  controller: t.string().pb(1).doc("The controller, as a domain and path."),
  parameters: IngressClassParametersReference.pb(2).doc("An object that configures it."),
});
export interface IngressClassSpec extends t.Stored<typeof IngressClassSpec> {}

export const IngressClass = defineKind({
  group: "networking.k8s.io", version: "v1", kind: "IngressClass", plural: "ingressclasses", namespaced: false,
  generation: true,
  definition: "io.k8s.api.networking.v1.IngressClass",
  doc: "A kind of ingress, and who serves it.",
  fields: {
    spec: IngressClassSpec.pb(2).always("{}").doc("Who takes care of ingresses of this class."),
  },
  *rules(next, previous) {
    if (next.spec.controller === undefined) yield required("spec.controller");
    if (previous !== undefined && next.spec.controller !== previous.spec.controller) yield invalidValue("spec.controller", next.spec.controller ?? "", "field is immutable");
  },
  columns: [
    nameColumn,
    { name: "Controller", type: "string", doc: "Controller that serves it.", cell: ({ spec }) => spec.controller ?? "" },
    { name: "Parameters", type: "string", doc: "Object with further settings.", cell: ({ spec: { parameters } }) => (parameters === undefined ? "<none>" : `${parameters.kind}${parameters.apiGroup ? `.${parameters.apiGroup}` : ""}/${parameters.name}`) },
    ageColumn,
  ],
});
export interface IngressClass extends Resource<typeof IngressClass> {}
