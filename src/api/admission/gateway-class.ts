/** A GatewayClass keeps its controller: upstream's definition says so in CEL, ours here, so that a cluster without gateways never loads that language. */
import { invalidValue } from "../../schema/problem.ts";
import { invalid } from "../errors.ts";
import type { AdmissionStep } from "./admission.ts";

export const gatewayClassController: AdmissionStep = {
  name: "GatewayClassController", isOurs: true,
  validate({ kind, subresource, object, previous }) {
    if (kind.group !== "gateway.networking.k8s.io" || kind.kind !== "GatewayClass" || subresource !== "" || previous === undefined || object === undefined) return;
    if (object.spec?.controllerName !== previous.spec?.controllerName) throw invalid(kind, object.metadata.name, [invalidValue("spec.controllerName", object.spec?.controllerName, "Value is immutable")]);
  },
};
