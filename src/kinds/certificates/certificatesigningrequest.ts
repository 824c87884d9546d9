import { ageColumn, humanDuration, nameColumn } from "../columns.ts";
import { duplicate, forbidden, invalidValue, notSupported, required } from "../../schema/problem.ts";
import { defineKind, type Resource } from "../kind.ts";
import { decodeBase64 } from "../../base/base64.ts";
import * as t from "../../schema/t.ts";

export const CertificateSigningRequestSpec = t.object("io.k8s.api.certificates.v1.CertificateSigningRequestSpec", {
  expirationSeconds: t.int32().pb(8).pointer().doc("How long the certificate should be valid."),
  extra: t.map(t.list(t.string()).wire("list-wrapper")).pb(6).doc("What else is known of who asks, by key; set by the server."),
  groups: t.list(t.string()).pb(4).doc("Groups of who asks; set by the server."),
  request: t.bytes().pb(1).required().always("zero").doc("The PKCS#10 request, as PEM in base64."),
  signerName: t.string().pb(7).required().always("zero").doc("Who is to sign."),
  uid: t.string().pb(3).doc("Identity of who asks; set by the server."),
  usages: t.list(t.oneOf("any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing", "timestamping")).pb(5).doc("What the key is for."),
  username: t.string().pb(2).doc("Who asks; set by the server."),
});
export interface CertificateSigningRequestSpec extends t.Stored<typeof CertificateSigningRequestSpec> {}

export const CertificateSigningRequestCondition = t.object("io.k8s.api.certificates.v1.CertificateSigningRequestCondition", {
  lastTransitionTime: t.time().pb(5).always("null").doc("When the status last changed."),
  lastUpdateTime: t.time().pb(4).always("null").doc("When this entry was last written."),
  message: t.string().pb(3).doc("The same for people, in a sentence."),
  reason: t.string().pb(2).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(6).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface CertificateSigningRequestCondition extends t.Stored<typeof CertificateSigningRequestCondition> {}

export const CertificateSigningRequestStatus = t.object("io.k8s.api.certificates.v1.CertificateSigningRequestStatus", {
  certificate: t.bytes().pb(2).doc("The certificates signed, as PEM in base64."),
  conditions: t.listBy(CertificateSigningRequestCondition, "type").pb(1).doc("Whether it is approved, denied or failed."),
});
export interface CertificateSigningRequestStatus extends t.Stored<typeof CertificateSigningRequestStatus> {}

export const CertificateSigningRequest = defineKind({
  group: "certificates.k8s.io", version: "v1", kind: "CertificateSigningRequest", plural: "certificatesigningrequests", namespaced: false, nameGrammar: "path-segment",
  shortNames: ["csr"], subresources: ["approval", "status"],
  definition: "io.k8s.api.certificates.v1.CertificateSigningRequest",
  doc: "Asks for a certificate.",
  fields: {
    spec: CertificateSigningRequestSpec.pb(2).required().always("{}").doc("What is to be signed, by whom, for whom."),
    status: CertificateSigningRequestStatus.pb(3).always("{}").doc("The decision, and the certificate."),
  },
  resets: subresource => [["spec"], subresource === "" ? ["status"] : ["status", subresource === "status" ? "conditions" : "certificate"]],
  *rules(next, previous, { subresource }) {
    if (previous === undefined) {
      if (/-----BEGIN ([^-]*)-----/.exec(new TextDecoder().decode(decodeBase64(next.spec.request)))?.[1] !== "CERTIFICATE REQUEST") yield invalidValue("spec.request", next.spec.request || null, "PEM block type must be CERTIFICATE REQUEST");
      if ((next.spec.usages ?? []).length === 0) yield required("spec.usages");
      if (next.spec.signerName === "") yield required("spec.signerName");
      else if (!/^[^/]+\/[^/]+$/.test(next.spec.signerName)) yield invalidValue("spec.signerName", next.spec.signerName, "must be a fully qualified domain and path of the form 'example.com/signer-name'");
      if (next.spec.expirationSeconds !== undefined && next.spec.expirationSeconds < 600) yield invalidValue("spec.expirationSeconds", next.spec.expirationSeconds, "may not specify a duration less than 600 seconds (10 minutes)");
    }
    const types = new Set<string>();
    for (const [i, { type, status }] of (next.status.conditions ?? []).entries()) {
      if (types.has(type) && subresource !== "") yield duplicate(`status.conditions[${i}].type`, type);
      types.add(type);
      if (type === "") yield required(`status.conditions[${i}].type`);
      const allowed = ["Approved", "Denied", "Failed"].includes(type) ? ["True"] : ["False", "True", "Unknown"];
      if (status === "") yield required(`status.conditions[${i}].status`);
      else if (!allowed.includes(status)) yield notSupported(`status.conditions[${i}].status`, status, allowed);
    }
    const decided = (request: typeof next | undefined, type: string): number => (request?.status.conditions ?? []).filter(condition => condition.type === type).length;
    for (const type of ["Approved", "Denied", "Failed"]) if (decided(next, type) < decided(previous, type)) yield forbidden("status.conditions", `updates may not remove a condition of type ${JSON.stringify(type)}`);
    if (types.has("Approved") && types.has("Denied")) yield invalidValue("status.conditions", "Denied", "Approved and Denied conditions are mutually exclusive");
  },
  selectable: { "spec.signerName": request => request.spec.signerName },
  columns: [
    nameColumn,
    ageColumn,
    { name: "SignerName", type: "string", doc: "Who is to sign.", cell: ({ spec }) => spec.signerName },
    { name: "Requestor", type: "string", doc: "Who asks.", cell: ({ spec }) => spec.username ?? "" },
    { name: "RequestedDuration", type: "string", doc: "How long it should hold.", cell: ({ spec }) => (spec.expirationSeconds === undefined ? "<none>" : humanDuration(spec.expirationSeconds * 1000)) },
    { name: "Condition", type: "string", doc: "What has become of it.", cell: ({ status }) => condition(status) },
  ],
});
export interface CertificateSigningRequest extends Resource<typeof CertificateSigningRequest> {}

function condition({ conditions = [], certificate }: CertificateSigningRequestStatus): string {
  const has = (type: string): boolean => conditions.some(each => each.type === type);
  return `${has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending"}${has("Failed") ? ",Failed" : ""}${certificate ? ",Issued" : ""}`;
}
