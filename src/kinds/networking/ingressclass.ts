import { ageColumn, nameColumn } from "../columns.ts";
import { forbidden, invalidValue, notSupported, type Problem, required, tooLong } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import { dnsLabel, dnsSubdomain, pathSegment } from "../../schema/grammar.ts";
import { domainPath } from "../meta/rules.ts";
import * as t from "../../schema/t.ts";

export const IngressClassParametersReference = t.object("io.k8s.api.networking.v1.IngressClassParametersReference", {
  apiGroup: t.string().pb(1).pointer().doc("API group of the object; empty is the core group."),
  kind: t.string().pb(2).required().always("zero").doc("Kind of the object."),
  name: t.string().pb(3).required().always("zero").doc("Its name."),
  namespace: t.string().pb(5).pointer().doc("Its namespace, if scope is Namespace."),
  scope: t.string().pb(4).pointer().always("null").default("Cluster").doc("Cluster or Namespace."),
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
  defaults({ spec }) { if (spec.parameters !== undefined) spec.parameters.scope ??= "Cluster"; },
  *rules({ spec }, previous) {
    const { controller = "", parameters } = spec;
    if (previous !== undefined && spec.controller !== previous.spec.controller) yield invalidValue("spec.controller", controller, "field is immutable");
    if (controller.length > 250) yield tooLong("spec.controller", 250);
    yield* domainPath(controller, "spec.controller");
    if (parameters !== undefined) yield* parameterProblems(parameters, "spec.parameters");
  },
  columns: [
    nameColumn,
    { name: "Controller", type: "string", doc: "Controller that serves it.", cell: ({ spec }) => spec.controller ?? "" },
    { name: "Parameters", type: "string", doc: "Object with further settings.", cell: ({ spec: { parameters } }) => (parameters === undefined ? "<none>" : `${parameters.kind}${parameters.apiGroup ? `.${parameters.apiGroup}` : ""}/${parameters.name}`) },
    ageColumn,
  ],
});
export interface IngressClass extends Resource<typeof IngressClass> {}

function* parameterProblems({ apiGroup, kind, name, namespace, scope }: IngressClassParametersReference, path: string): Iterable<Problem> {
  if (apiGroup !== undefined) for (const detail of dnsSubdomain(apiGroup)) yield invalidValue(`${path}.apiGroup`, apiGroup, detail);
  for (const [field, value] of [["kind", kind], ["name", name]] as const) {
    if (value === "") yield required(`${path}.${field}`);
    else for (const detail of pathSegment(value)) yield invalidValue(`${path}.${field}`, value, detail);
  }
  if (scope !== "Cluster" && scope !== "Namespace") yield notSupported(`${path}.scope`, scope, ["Cluster", "Namespace"]);
  else if (scope === "Cluster") {
    if (namespace !== undefined) yield forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'");
  } else if (namespace === undefined) yield required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'");
  else for (const detail of dnsLabel(namespace)) yield invalidValue(`${path}.namespace`, namespace, detail);
}
