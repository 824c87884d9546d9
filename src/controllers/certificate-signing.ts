/** CertificateSigningRequests: kubelets' client certificates are approved by themselves, approved requests for the cluster's own signers are signed, old requests go (pkg/controller/certificates). */
import { isApiError } from "../base/api-error.ts";
import { msOf, timeOf } from "../base/time.ts";
import { SubjectAccessReview } from "../kinds/authorization/subjectaccessreview.ts";
import { CertificateSigningRequest, type CertificateSigningRequestCondition } from "../kinds/certificates/certificatesigningrequest.ts";
import type { CertificateSigner, RequestFacts } from "./certificate-signer.ts";
import type { Context, Controller } from "./controller.ts";

const domain = "kubernetes.io/";
const hourMs = 3_600_000;

/** What each of the cluster's signers signs with, and why it may refuse (pkg/controller/certificates/signer, pkg/apis/certificates/helpers.go). */
const signers: ReadonlyMap<string, { readonly authority: "client" | "serving"; readonly refuses: (request: RequestFacts, usages: readonly string[]) => string | undefined }> = new Map([
  [`${domain}kube-apiserver-client`, { authority: "client", refuses: (_, usages) => usageProblem(usages, "client auth") }],
  [`${domain}kube-apiserver-client-kubelet`, { authority: "client", refuses: kubeletClientProblem }],
  [`${domain}kubelet-serving`, { authority: "serving", refuses: kubeletServingProblem }],
]);

export const certificateSigning: Controller = {
  name: "certificate-signing", component: "certificate-controller", account: "certificate-controller",
  reconciles: CertificateSigningRequest, watches: [],
  async reconcile(key, context) {
    const request = context.read(CertificateSigningRequest).get(key);
    const signer = context.settings.certificates;
    const own = request === undefined ? undefined : signers.get(request.spec.signerName);
    if (request === undefined || signer === undefined || own === undefined || !has(request, "Approved") || has(request, "Denied") || has(request, "Failed") || (request.status.certificate ?? "") !== "") return undefined;
    const usages = request.spec.usages ?? [];
    const problem = own.refuses(signer.read(request.spec.request), usages);
    const status = problem === undefined
      ? { ...request.status, certificate: signer.sign({ request: request.spec.request, usages, seconds: request.spec.expirationSeconds, authority: own.authority }) }
      : { ...request.status, conditions: [...(request.status.conditions ?? []), condition(context, "Failed", "SignerValidationFailure", problem)] };
    await context.ifThere(context.updateStatus(CertificateSigningRequest, { ...request, status }));
    return undefined;
  },
};

/** Approves what a kubelet asks for itself, if an access review says that it may. */
export const certificateApproving: Controller = {
  name: "certificate-approving", component: "certificate-controller", account: "certificate-controller",
  reconciles: CertificateSigningRequest, watches: [],
  async reconcile(key, context) {
    const request = context.read(CertificateSigningRequest).get(key);
    const signer = context.settings.certificates;
    if (request === undefined || signer === undefined || request.spec.signerName !== `${domain}kube-apiserver-client-kubelet` || has(request, "Approved") || has(request, "Denied") || (request.status.certificate ?? "") !== "") return undefined;
    const facts = signer.read(request.spec.request);
    if (kubeletClientProblem(facts, request.spec.usages ?? []) !== undefined) return undefined;
    const forItself = request.spec.username === facts.commonName;
    if (!(await mayApprove(context, request, forItself ? "selfnodeclient" : "nodeclient"))) return undefined;
    const message = `Auto approving ${forItself ? "self " : ""}kubelet client certificate after SubjectAccessReview.`;
    const conditions = [...(request.status.conditions ?? []), condition(context, "Approved", "AutoApproved", message)];
    await context.ifThere(context.update(CertificateSigningRequest, { ...request, status: { ...request.status, conditions } }, { subresource: "approval" }));
    return undefined;
  },
};

/** Requests are removed a while after they were answered, or were not. */
export const certificateCleaning: Controller = {
  name: "certificate-cleaning", component: "certificate-controller", account: "certificate-controller",
  reconciles: CertificateSigningRequest, watches: [],
  async reconcile(key, context) {
    const request = context.read(CertificateSigningRequest).get(key);
    const signer = context.settings.certificates;
    if (request === undefined || signer === undefined) return undefined;
    const due = removeAt(request, signer);
    const now = context.clock.now();
    if (due > now) return { after: due - now };
    await context.delete(CertificateSigningRequest, request);
    return undefined;
  },
};

/** An hour after approval, denial or failure, a day after being asked, or when the certificate ends (pkg/controller/certificates/cleaner). */
export function removeAt(request: CertificateSigningRequest, signer: Pick<CertificateSigner, "notAfter">): number {
  const { conditions = [], certificate = "" } = request.status;
  const answered = ["Approved", "Denied", "Failed"].flatMap(type => conditions.filter(each => each.type === type).map(each => (msOf(each.lastUpdateTime) ?? 0) + hourMs));
  const times = answered.length > 0 ? answered : [(msOf(request.metadata.creationTimestamp) ?? 0) + 24 * hourMs];
  return Math.min(...times, ...(certificate === "" ? [] : [expiryOf(certificate, signer)]));
}

/** Other signers may store what is no certificate of ours to read. */
function expiryOf(certificate: string, signer: Pick<CertificateSigner, "notAfter">): number {
  try {
    return signer.notAfter(certificate);
  } catch {
    return Infinity; // then only the request's own age counts
  }
}

async function mayApprove(context: Context, { spec }: CertificateSigningRequest, subresource: string): Promise<boolean> {
  const { username = "", uid = "", groups = [], extra = {} } = spec;
  try {
    const review = await context.create(SubjectAccessReview, {
      spec: { user: username, uid, groups, extra, resourceAttributes: { group: "certificates.k8s.io", resource: "certificatesigningrequests", verb: "create", subresource, version: "*" } },
    });
    return review.status.allowed;
  } catch (error) {
    if (isApiError(error, "Invalid")) return false;
    throw error;
  }
}

function kubeletClientProblem({ commonName, organizations, dnsNames, ipAddresses, emailAddresses, uris }: RequestFacts, usages: readonly string[]): string | undefined {
  if (organizations.join() !== "system:nodes") return "subject organization is not system:nodes";
  if (dnsNames.length > 0) return "DNS subjectAltNames are not allowed";
  if (emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  if (ipAddresses.length > 0) return "IP subjectAltNames are not allowed";
  if (uris.length > 0) return "URI subjectAltNames are not allowed";
  if (!commonName.startsWith("system:node:")) return "subject common name does not begin with system:node:";
  return exactUsages(usages, "client auth");
}

function kubeletServingProblem({ commonName, organizations, dnsNames, ipAddresses, emailAddresses, uris }: RequestFacts, usages: readonly string[]): string | undefined {
  if (organizations.join() !== "system:nodes") return "subject organization is not system:nodes";
  if (dnsNames.length === 0 && ipAddresses.length === 0) return "DNS or IP subjectAltName is required";
  if (emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  if (uris.length > 0) return "URI subjectAltNames are not allowed";
  if (!commonName.startsWith("system:node:")) return "subject common name does not begin with system:node:";
  return exactUsages(usages, "server auth");
}

function exactUsages(usages: readonly string[], needed: string): string | undefined {
  const asked = new Set(usages);
  asked.delete("key encipherment");
  return asked.size === 2 && asked.has("digital signature") && asked.has(needed) ? undefined : `usages did not match [${["digital signature", "key encipherment", needed].sort().join(" ")}]`;
}

function usageProblem(usages: readonly string[], needed: string): string | undefined {
  const odd = usages.find(usage => !["digital signature", "key encipherment", needed].includes(usage));
  if (odd !== undefined) return `invalid usage for client certificate: ${odd}`;
  return usages.includes(needed) ? undefined : `missing required usage for client certificate: ${needed}`;
}

function has({ status }: CertificateSigningRequest, type: string): boolean {
  return (status.conditions ?? []).some(each => each.type === type);
}

function condition(context: Context, type: string, reason: string, message: string): CertificateSigningRequestCondition {
  const now = timeOf(context.clock.now());
  return { type, status: "True", reason, message, lastUpdateTime: now, lastTransitionTime: now };
}
