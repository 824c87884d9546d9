/**
 * Who may say what of claims for devices: admin access takes a namespace that is marked for it, allocations and reservations the right to bind claims, what is said of devices the
 * right to speak for their driver (pkg/registry/resource/utils.go). Upstream's storage asks; here it is the last but one step, so that rules stay pure.
 */
import { sameJson } from "../../base/json.ts";
import { dnsSubdomain } from "../../schema/grammar.ts";
import { forbidden as forbiddenField, type Problem } from "../../schema/problem.ts";
import { nodeNameKey, serviceAccountOf } from "../authn/impersonation.ts";
import type { Authorizer, RequestAttributes, User } from "../context.ts";
import { invalid, unauthorizedFor } from "../errors.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";

const adminLabel = "resource.kubernetes.io/admin-access";

export function resourceClaimAccess(authorizer: Authorizer): AdmissionStep {
  return {
    name: "ResourceClaimAccess", isOurs: true,
    validate(request) {
      const { kind: { group, plural }, operation, subresource, object } = request;
      if (group !== "resource.k8s.io" || object === undefined) return undefined;
      // Quirk: of a template, too, upstream tells the path that a claim has.
      const spec = plural === "resourceclaims" ? object.spec : plural === "resourceclaimtemplates" ? object.spec.spec : undefined;
      if (operation === "CREATE" && subresource === "" && spec !== undefined) return conclude(request, adminProblems(request, spec.devices?.requests, "spec.devices.requests", ({ exactly }) => exactly?.adminAccess === true));
      return plural === "resourceclaims" && operation === "UPDATE" && subresource === "status" ? checkStatus(authorizer, request) : undefined;
    },
  };
}

function conclude(request: AdmissionRequest, problems: readonly Problem[]): void {
  if (problems.length > 0) throw invalid(request.kind, request.object.metadata.name ?? "", problems);
}

function adminProblems({ read, namespace }: AdmissionRequest, list: readonly any[] | undefined, path: string, asks: (each: any) => boolean): readonly Problem[] {
  const at = (list ?? []).findIndex(asks);
  if (at < 0 || read.get("", "namespaces", "", namespace)?.metadata.labels?.[adminLabel] === "true") return [];
  return [forbiddenField(`${path}[${at}].adminAccess`, `admin access to devices requires the \`${adminLabel}: true\` label on the containing namespace`)];
}

async function checkStatus(authorizer: Authorizer, request: AdmissionRequest): Promise<void> {
  const { object: { status: now }, previous: { status: before }, namespace, user, verb = "update" } = request;
  const hasAdmin = ({ allocation }: any): boolean => (allocation?.devices?.results ?? []).some((each: any) => each.adminAccess === true);
  const problems: Problem[] = hasAdmin(before) ? [] : [...adminProblems(request, now.allocation?.devices?.results, "status.allocation.devices.results", each => each.adminAccess === true)];
  const ask = async (subresource: string, asked: string, where: string, name: string): Promise<string | undefined> => {
    const attributes: RequestAttributes = { verb: asked, group: "resource.k8s.io", version: "v1", resource: "resourceclaims", subresource, namespace: where, name, path: "", resourceRequest: true };
    const { allowed, reason, error } = await authorizer.authorize(user, attributes);
    return allowed ? undefined : unauthorizedFor(user, attributes, error === undefined ? reason : [error, ...(reason === undefined || reason === "" ? [] : [reason])].join(": ")).message;
  };
  if (!sameJson(now.allocation ?? null, before.allocation ?? null) || !sameJson(now.reservedFor ?? [], before.reservedFor ?? [])) {
    const why = await ask("binding", verb, "", "");
    if (why !== undefined) problems.push(forbiddenField("status.allocation", `changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="${verb}" permission: ${why}`));
  }
  // What is said of devices goes with their allocation.
  const verbs = [...(isOnNode(user, now.allocation) ? [`associated-node:${verb}`] : []), `arbitrary-node:${verb}`];
  for (const driver of now.allocation === undefined ? [] : changedDrivers(now.devices ?? [], before.devices ?? [])) {
    let first: string | undefined;
    let isAllowed = false;
    for (const asked of verbs) {
      const why = await ask("driver", asked, namespace, driver);
      isAllowed ||= why === undefined;
      if (isAllowed) break;
      first ??= why;
    }
    if (!isAllowed) problems.push(forbiddenField("status.devices", `changing status.devices requires resource="resourceclaims/driver", verb="[${verbs.join(" ")}]" permission: ${first}`));
  }
  conclude(request, problems);
}

function changedDrivers(now: readonly any[], before: readonly any[]): readonly string[] {
  const keyOf = ({ driver, pool, device, shareID = "" }: any): string => JSON.stringify([driver, pool, device, shareID]);
  const [known, current] = [before, now].map(list => new Map(list.map(each => [keyOf(each), each])));
  const changed = [...now.filter(each => !known!.has(keyOf(each)) || !sameJson(known!.get(keyOf(each)), each)), ...before.filter(each => !current!.has(keyOf(each)))];
  return [...new Set<string>(changed.map(({ driver }) => driver))].sort();
}

/** Whether the caller is a service account in a pod on the one node that the claim was allocated for. */
function isOnNode(user: User, allocation: any): boolean {
  const terms = allocation?.nodeSelector?.nodeSelectorTerms ?? [];
  const { matchExpressions = [], matchFields = [] } = terms[0] ?? {};
  const { key, operator, values = [] } = matchFields[0] ?? {};
  if (terms.length !== 1 || matchExpressions.length > 0 || matchFields.length !== 1 || key !== "metadata.name" || operator !== "In" || values.length !== 1) return false;
  const names = user.extra[nodeNameKey] ?? [];
  return serviceAccountOf(user.name) !== undefined && names.length === 1 && names[0] === values[0] && dnsSubdomain(names[0]!).length === 0;
}
