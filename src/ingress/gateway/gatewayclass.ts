import { ageColumn, conditions, declare, group, kindField, listBy, namespaceField, object, objectName, patterns, pending, text, list, type Condition } from "./schema.ts";

export type GatewayClass = { readonly spec: { readonly controllerName: string; readonly parametersRef?: { readonly kind: string; readonly name: string } }; readonly status?: { readonly conditions?: readonly Condition[] } };

/** That `controllerName` never changes is an admission step (`api/admission/gateway-class.ts`): a rule in CEL would load that language for this alone, in every cluster. */
export const gatewayClasses = declare<GatewayClass>({
  kind: "GatewayClass", plural: "gatewayclasses", shortNames: ["gc"], namespaced: false, version: "v1", also: ["v1beta1"],
  doc: "A kind of gateway, and who serves it.",
  spec: object("Who takes care of gateways of this class.", {
    controllerName: text("The controller, as a domain and path.", { minLength: 1, maxLength: 253, pattern: patterns.controller }),
    description: text("What it is for.", { maxLength: 64 }),
    parametersRef: object("An object that configures it.", { group: group(undefined), kind: kindField(undefined), name: objectName, namespace: namespaceField }, ["group", "kind", "name"]),
  }, ["controllerName"]),
  isSpecRequired: true,
  status: object("What its controller says of it.", {
    conditions: conditions({ default: pending("Accepted") }),
    supportedFeatures: list("What its gateways can do.", object("A feature.", { name: text("Its name.") }, ["name"]), 64, listBy("name")),
  }, [], { default: { conditions: pending("Accepted") } }),
  columns: [{ name: "Controller", type: "string", jsonPath: ".spec.controllerName" }, { name: "Accepted", type: "string", jsonPath: '.status.conditions[?(@.type=="Accepted")].status' }, ageColumn, { name: "Description", type: "string", jsonPath: ".spec.description", priority: 1 }],
});
