/** Which policies are asked about a request, with which parameters (apiserver pkg/admission/plugin/policy/generic). What both sorts of policies share. */
import { type Json, type JsonObject } from "../../../base/json.ts";
import { selectorOf } from "../../../base/selector.ts";
import type { LoadCel } from "../../cel.ts";
import type { Authorizer } from "../../context.ts";
import type { Pace } from "../../pace.ts";
import type { Registry, Served } from "../../registry.ts";
import { asServed, prepareServed } from "../../strategy.ts";
import type { AdmissionRequest } from "../admission.ts";
import { authorizerInput, type AuthorizerInput } from "../authorizer-input.ts";
import { type Hook, type Rule, matchRules, matchSelectors } from "../webhooks/match.ts";
import { type Form, formsOf, placeOf, reviewOf } from "../webhooks/review.ts";

export type PolicyOptions = { readonly registry: () => Registry; readonly loadCel: LoadCel | undefined; readonly authorizer: Authorizer; readonly pace: Pace };

/** What expressions see. */
export type PolicyInput = AuthorizerInput & { readonly values: ReadonlyMap<string, Json>; readonly pace: Pace };

type NamedRule = Rule & { readonly resourceNames?: readonly string[] | undefined };
type Match = { readonly resourceRules?: readonly NamedRule[] | undefined; readonly excludeResourceRules?: readonly NamedRule[] | undefined; readonly namespaceSelector?: unknown; readonly objectSelector?: unknown; readonly matchPolicy?: string | undefined };
type ParamRef = { readonly name?: string | undefined; readonly namespace?: string | undefined; readonly selector?: unknown; readonly parameterNotFoundAction?: string | undefined };
export type PolicyObject = { readonly metadata: { readonly name: string; readonly uid?: string | undefined; readonly generation?: number | undefined }; readonly spec: { readonly matchConstraints?: Match | undefined; readonly paramKind?: { readonly apiVersion?: string | undefined; readonly kind?: string | undefined } | undefined; readonly failurePolicy?: string | undefined } };
export type BindingObject = { readonly metadata: { readonly name: string }; readonly spec: { readonly policyName?: string | undefined; readonly matchResources?: Match | undefined; readonly paramRef?: ParamRef | undefined } };

/** One policy asked once: for one binding and one parameter. `own`: the request as it came. */
export type Invocation<P, B> = { readonly policy: P; readonly binding: B; readonly form: Form; readonly own: Form; readonly param: Json };
/** A policy that cannot be asked as it is configured. */
export type Misconfigured<P, B> = { readonly policy: P; readonly binding: B | undefined; readonly message: string };

const group = "admissionregistration.k8s.io";

/** What asks who somebody is and what they may is no policy's business: the cluster might stop (pkg/kubeapiserver/admission/exclusion/resources.go). */
const unseen: ReadonlySet<string> = new Set(["authentication.k8s.io", "authorization.k8s.io"]);

/** Whether any policy of a sort may have to be asked: most clusters have none. */
export const anyBinding = (request: AdmissionRequest, bindings: string): boolean => !(request.kind.virtual === true && unseen.has(request.kind.group)) && request.read.list(group, bindings, "").length > 0;

/** Everything that is to be asked, by the names of policies and bindings. */
export async function* invocationsOf<P extends PolicyObject, B extends BindingObject>(request: AdmissionRequest, options: PolicyOptions, resources: { readonly policies: string; readonly bindings: string }): AsyncIterable<Invocation<P, B> | Misconfigured<P, B>> {
  const bindings: readonly B[] = request.read.list(group, resources.bindings, "");
  if (bindings.length === 0) return;
  const forms = formsOf(options, request);
  const names = [...new Set(bindings.map(({ spec }) => spec.policyName ?? ""))].sort();
  for (const name of names) {
    const policy: P | undefined = request.read.get(group, resources.policies, "", name);
    const form = policy === undefined ? undefined : formFor(policy.spec.matchConstraints, request, forms);
    if (policy === undefined || form === undefined) continue;
    const served = paramKindOf(policy, options);
    if (served === "unknown") {
      const { apiVersion = "", kind = "" } = policy.spec.paramKind!;
      yield { policy, binding: undefined, message: `failed to configure policy: failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'` };
      continue;
    }
    for (const binding of bindings) {
      if (binding.spec.policyName !== name || (binding.spec.matchResources !== undefined && formFor(binding.spec.matchResources, request, forms) === undefined)) continue;
      const params = served === undefined ? { found: [null] } : await paramsOf(served, binding.spec.paramRef, request);
      if ("problem" in params) yield { policy, binding, message: `failed to configure binding: ${params.problem}` };
      else {
        await form.ready();
        for (const param of params.found) yield { policy, binding, form, own: forms[0]!, param };
      }
    }
  }
}

/** As what the policy sees the request; `undefined` if it is none of its business. */
function formFor(match: Match | undefined, request: AdmissionRequest, forms: readonly Form[]): Form | undefined {
  if (match === undefined) return forms[0];
  const hookWith = (rules: readonly NamedRule[]): Hook => ({ name: "", rules: rules.filter(({ resourceNames = [] }) => resourceNames.length === 0 || resourceNames.includes(placeOf(request).name)), namespaceSelector: match.namespaceSelector, objectSelector: match.objectSelector, matchPolicy: match.matchPolicy ?? "Equivalent", clientConfig: undefined, admissionReviewVersions: [] });
  const all: NamedRule = { operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*", "*/*"] };
  const wanted = hookWith(match.resourceRules ?? []), unwanted = hookWith(match.excludeResourceRules ?? []);
  if (!matchSelectors(wanted, request) || matchRules(unwanted, request, forms) !== undefined) return undefined;
  return matchRules((match.resourceRules ?? []).length === 0 ? hookWith([all]) : wanted, request, forms) as Form | undefined;
}

function paramKindOf({ spec: { paramKind } }: PolicyObject, { registry }: PolicyOptions): Served | "unknown" | undefined {
  if (paramKind === undefined) return undefined;
  return registry().all().find(each => each.apiVersion === paramKind.apiVersion && each.kind.kind === paramKind.kind) ?? "unknown";
}

/** The objects that a binding gives to its policy, one run for each. */
async function paramsOf(served: Served, paramRef: ParamRef | undefined, request: AdmissionRequest): Promise<{ readonly found: readonly Json[] } | { readonly problem: string }> {
  if (paramRef === undefined) return { found: [null] };
  const { namespaced } = served.kind;
  if (!namespaced && (paramRef.namespace ?? "") !== "") return { problem: "paramRef.namespace must not be provided for a cluster-scoped `paramKind`" };
  const namespace = !namespaced ? "" : (paramRef.namespace ?? "") === "" ? placeOf(request).namespace : paramRef.namespace!;
  if (namespaced && namespace === "") return { problem: "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources" };
  const name = paramRef.name ?? "";
  const objects = name === "" ? request.read.list(served.group, served.resource, namespace).filter(each => selectorOf(paramRef.selector ?? {}).matches(each.metadata.labels)) : [request.read.get(served.group, served.resource, namespace, name)].filter(each => each !== undefined);
  if (objects.length === 0) return paramRef.parameterNotFoundAction === "Deny" ? { problem: "no params found for policy binding with `Deny` parameterNotFoundAction" } : { found: [] };
  await prepareServed(served, objects, { fresh: false });
  return { found: objects.map(each => ({ ...(asServed(served, each) as JsonObject), apiVersion: served.apiVersion, kind: served.kind.kind })) };
}

/** The request as expressions see it now. */
export function inputOf({ form, own, param, policy }: Invocation<PolicyObject, BindingObject>, request: AdmissionRequest, { authorizer, pace }: PolicyOptions): PolicyInput {
  const { object = null, oldObject = null, uid: _uid, ...review } = reviewOf(request, form, own, "") as JsonObject;
  const namespace = request.kind.namespaced ? request.read.get("", "namespaces", "", request.namespace) : undefined;
  const values = new Map<string, Json>([["object", object], ["oldObject", oldObject], ["request", review], ["namespaceObject", (namespace as Json | undefined) ?? null]]);
  if (policy.spec.paramKind !== undefined) values.set("params", param);
  return { values, pace, ...authorizerInput(authorizer, request, form) };
}
