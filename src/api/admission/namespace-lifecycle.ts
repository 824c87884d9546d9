import { LocalSubjectAccessReview } from "../../kinds/authorization/localsubjectaccessreview.ts";
import { Namespace } from "../../kinds/core/namespace.ts";
import { forbidden, notFound } from "../errors.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";

const immortal: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);
const namespaces = { group: "", resource: "namespaces" };

/** Nothing is created where there is no namespace, or one that is ending (plugin/pkg/admission/namespace/lifecycle). */
export const namespaceLifecycle: AdmissionStep = {
  name: "NamespaceLifecycle",
  mutate(request) {
    const { kind, operation, namespace, name, subresource } = request;
    if (kind === Namespace) {
      if (operation === "DELETE" && subresource === "" && immortal.has(name)) throw forbidden(namespaces, name, "this namespace may not be deleted");
      return;
    }
    if (!kind.namespaced || operation === "DELETE" || kind === LocalSubjectAccessReview) return;
    const found = request.read.get("", "namespaces", "", namespace);
    if (found === undefined) throw notFound(namespaces, namespace);
    if (operation === "CREATE" && found.status?.phase === "Terminating")
      throw refuse(request, `unable to create new content in namespace ${namespace} because it is being terminated`, [{ reason: "NamespaceTerminating", message: `namespace ${namespace} is being terminated`, field: "metadata.namespace" }]);
  },
};

/** `admission.NewForbidden`: names the object as far as it has a name. */
export function refuse(request: AdmissionRequest, why: string, causes?: Parameters<typeof forbidden>[3]) {
  const { kind, name, object } = request;
  const shown = name !== "" ? name : (object?.metadata?.name ?? "") !== "" ? object.metadata.name : (object?.metadata?.generateName ?? "") !== "" ? object.metadata.generateName : "Unknown";
  return forbidden({ group: kind.group, resource: kind.plural }, shown, why, causes);
}
