/** `spec.externalIPs` lets whoever writes a Service take any address's traffic (CVE-2020-8554): refused unless the cluster was made with `--external-ips` (plugin/pkg/admission/network/denyserviceexternalips). */
import { Service } from "../../kinds/core/service.ts";
import type { AdmissionStep } from "./admission.ts";
import { refuse } from "./namespace-lifecycle.ts";

export const denyServiceExternalIPs: AdmissionStep = {
  name: "DenyServiceExternalIPs",
  validate(request) {
    if (request.kind !== Service || request.subresource !== "" || (request.operation !== "CREATE" && request.operation !== "UPDATE")) return;
    const had = new Set<string>(request.previous?.spec?.externalIPs);
    // Those that are there already may stay, so that the object can still be changed otherwise.
    if ((request.object.spec.externalIPs ?? []).some((ip: string) => !had.has(ip))) throw refuse(request, "Use of external IPs is denied by admission control");
  },
};
