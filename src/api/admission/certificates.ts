/**
 * Who asks for a certificate is what the request itself showed; who approves or signs needs the right to, per signer (plugin/pkg/admission/certificates,
 * pkg/registry/certificates/certificates/strategy.go).
 */
import { sameJson } from "../../base/json.ts";
import { timeOf } from "../../base/time.ts";
import { CertificateSigningRequest } from "../../kinds/certificates/certificatesigningrequest.ts";
import type { Authorizer, User } from "../context.ts";
import { invalid } from "../errors.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";
import { refuse } from "./namespace-lifecycle.ts";

/** What a request's bytes say. Throws an `Error` whose message may be shown. */
export type ReadRequest = (pem: Uint8Array) => { readonly organizations: readonly string[] };

const group = "certificates.k8s.io";

export function certificateAdmission(options: { readonly authorizer: Authorizer; readonly decode: (base64: string) => Uint8Array | undefined; readonly read: ReadRequest }): readonly AdmissionStep[] {
  const { authorizer } = options;
  return [
    { name: "CertificateRequester", isOurs: true, mutate: request => stamp(request) },
    {
      name: "CertificateApproval",
      validate: request => (isWrite(request, "UPDATE", "approval") ? checkApproval(authorizer, request) : undefined),
    },
    {
      name: "CertificateSigning",
      validate: request => (isWrite(request, "UPDATE", "status") ? checkSigning(authorizer, request) : undefined),
    },
    { name: "CertificateSubjectRestriction", validate: request => checkRequest(request, options) },
  ];
}

async function checkApproval(authorizer: Authorizer, request: AdmissionRequest): Promise<void> {
  const { signerName } = request.previous?.spec ?? {};
  if (!(await mayFor(authorizer, request.user, "approve", signerName))) throw refuse(request, `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`);
}

async function checkSigning(authorizer: Authorizer, request: AdmissionRequest): Promise<void> {
  const { previous, object, user } = request;
  const signs = (of: any): unknown => [of.status?.certificate ?? "", (of.status?.conditions ?? []).filter(({ type }: any) => type === "Failed")];
  const { signerName } = previous.spec;
  if (!sameJson(signs(previous), signs(object)) && !(await mayFor(authorizer, user, "sign", signerName))) throw refuse(request, `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`);
}

/** The requester is who sent the request, whatever the object says; conditions get their times. */
function stamp(request: AdmissionRequest): void {
  const { operation, user, object, previous } = request;
  if (isWrite(request, "CREATE", "")) {
    const { username: _, uid: _u, groups: _g, extra: _e, ...spec } = object.spec;
    const extra = Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]]));
    object.spec = {
      ...spec, username: user.name, ...(user.uid === "" ? {} : { uid: user.uid }), ...(user.groups.length === 0 ? {} : { groups: [...user.groups] }), ...(Object.keys(extra).length === 0 ? {} : { extra }),
    };
  }
  if (request.kind !== CertificateSigningRequest || operation !== "UPDATE" || request.subresource === "") return;
  const now = timeOf(request.now);
  for (const condition of object.status?.conditions ?? []) {
    const before = (previous.status?.conditions ?? []).find(({ type, status }: any) => type === condition.type && status === condition.status);
    condition.lastUpdateTime ??= now;
    condition.lastTransitionTime ??= before?.lastTransitionTime ?? now;
  }
}

function checkRequest(request: AdmissionRequest, { decode, read }: { readonly decode: (base64: string) => Uint8Array | undefined; readonly read: ReadRequest }): void {
  if (!isWrite(request, "CREATE", "")) return;
  const { spec, metadata } = request.object;
  let organizations: readonly string[];
  try {
    ({ organizations } = read(decode(spec.request) ?? new Uint8Array()));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw invalid(CertificateSigningRequest, metadata.name ?? "", [{ field: "spec.request", reason: "Invalid", value: spec.request, detail }]);
  }
  if (spec.signerName === "kubernetes.io/legacy-unknown")
    throw invalid(CertificateSigningRequest, metadata.name ?? "", [{ field: "spec.signerName", reason: "Invalid", value: spec.signerName, detail: "the legacy signerName is not allowed via this API version" }]);
  if (spec.signerName === "kubernetes.io/kube-apiserver-client" && organizations.includes("system:masters"))
    throw refuse(request, "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed");
}

function isWrite(request: AdmissionRequest, operation: AdmissionRequest["operation"], subresource: string): boolean {
  return request.kind === CertificateSigningRequest && request.operation === operation && request.subresource === subresource;
}

/** For this signer, or for all of its domain: `example.com/*`. */
async function mayFor(authorizer: Authorizer, user: User, verb: "approve" | "sign", signerName: string): Promise<boolean> {
  const may = async (name: string): Promise<boolean> => (await authorizer.authorize(user, { verb, group, version: "*", resource: "signers", subresource: "", namespace: "", name, path: "", resourceRequest: true })).allowed;
  return (await may(signerName)) || may(`${signerName.slice(0, signerName.indexOf("/"))}/*`);
}
