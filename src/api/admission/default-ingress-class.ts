import { Ingress } from "../../kinds/networking/ingress.ts";
import type { AdmissionStep } from "./admission.ts";
import { defaultsOf } from "./storage.ts";

const legacy = "kubernetes.io/ingress.class";

/** An ingress that names no class gets the default one (plugin/pkg/admission/network/defaultingressclass). */
export const defaultIngressClass: AdmissionStep = {
  name: "DefaultIngressClass",
  mutate({ kind, operation, subresource, object, read }) {
    if (kind !== Ingress || operation !== "CREATE" || subresource !== "" || object.spec.ingressClassName !== undefined || object.metadata.annotations?.[legacy] !== undefined) return;
    const [chosen] = defaultsOf(read.list("networking.k8s.io", "ingressclasses", ""), ["ingressclass.kubernetes.io/is-default-class"]);
    if (chosen !== undefined) object.spec.ingressClassName = chosen.metadata.name;
  },
};
