/** ValidatingAdmissionPolicies: rules in CEL that may refuse what is written (apiserver pkg/admission/plugin/policy). */
import { ApiError, type Reason } from "../../../base/api-error.ts";
import { type Json, sameJson } from "../../../base/json.ts";
import { selectorOf } from "../../../base/selector.ts";
import { ValidatingAdmissionPolicy } from "../../../kinds/admissionregistration/validatingadmissionpolicy.ts";
import { ValidatingAdmissionPolicyBinding } from "../../../kinds/admissionregistration/validatingadmissionpolicybinding.ts";
import type { AnyKind } from "../../../kinds/kind.ts";
import type { LoadCel } from "../../cel.ts";
import { forbidden, invalid } from "../../errors.ts";
import type { Registry } from "../../registry.ts";
import { asServed } from "../../strategy.ts";
import type { AdmissionRequest, AdmissionStep } from "../admission.ts";
import { type Hook, type Rule, matchRules, matchSelectors } from "../webhooks/match.ts";
import { type Form, formsOf, reviewOf } from "../webhooks/webhooks.ts";

export type PolicySpec = ValidatingAdmissionPolicy["spec"];
/** What a policy says of a request: nothing if all is well. */
export type Policy = (values: ReadonlyMap<string, Json>) => readonly Verdict[];
export type Verdict = { readonly message: string; readonly reason: string };

export type PolicyOptions = { readonly registry: () => Registry; readonly loadCel: LoadCel | undefined };

const group = "admissionregistration.k8s.io";
/** Policies kept compiled. */
const policiesMax = 1_000;
/** Policies that break the cluster must be removable. */
const exempt: ReadonlySet<AnyKind> = new Set([ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding]);
const codes: { readonly [reason: string]: number } = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413, Invalid: 422 };

export function validatingPolicies(options: PolicyOptions): AdmissionStep {
  /** By the policy's uid. */
  const compiled = new Map<string, { readonly generation: number; readonly policy: Policy }>();
  const policyOf = async ({ metadata, spec }: ValidatingAdmissionPolicy): Promise<Policy> => {
    const uid = metadata.uid ?? "", generation = metadata.generation ?? 0;
    const known = compiled.get(uid);
    if (known?.generation === generation) return known.policy;
    const cel = await options.loadCel?.();
    const policy: Policy = cel === undefined ? () => [{ message: "this server has no CEL", reason: "Invalid" }] : cel.policy(spec);
    if (compiled.size >= policiesMax) compiled.clear();
    compiled.set(uid, { generation, policy });
    return policy;
  };

  return {
    name: "ValidatingAdmissionPolicy",
    async validate(request) {
      if (request.kind === ValidatingAdmissionPolicy) await checkPolicy(request, options);
      if (exempt.has(request.kind)) return;
      const bindings: readonly ValidatingAdmissionPolicyBinding[] = request.read.list(group, "validatingadmissionpolicybindings", "");
      if (bindings.length === 0) return;
      const forms = formsOf(options, request);
      let denied: ApiError | undefined;
      for (const binding of bindings) {
        const policy: ValidatingAdmissionPolicy | undefined = request.read.get(group, "validatingadmissionpolicies", "", binding.spec.policyName);
        const form = policy === undefined ? undefined : formFor(policy.spec.matchConstraints, request, forms);
        if (policy === undefined || form === undefined || (binding.spec.matchResources !== undefined && formFor(binding.spec.matchResources, request, forms) === undefined)) continue;
        const evaluate = await policyOf(policy);
        await form.ready();
        for (const verdict of verdictsOf(evaluate, policy, binding, request, form, forms[0]!, options)) {
          const by = `ValidatingAdmissionPolicy '${policy.metadata.name}' with binding '${binding.metadata.name}'`;
          if (binding.spec.validationActions.includes("Warn")) request.warn(`Validation failed for ${by}: ${verdict.message}`);
          if (binding.spec.validationActions.includes("Deny")) denied ??= refusal(request, form, `${by} denied request: ${verdict.message}`, verdict.reason);
        }
      }
      if (denied !== undefined) throw denied;
    },
  };
}

/** A policy is refused whose expressions do not compile. */
async function checkPolicy({ object, previous, subresource, name }: AdmissionRequest, { loadCel }: PolicyOptions): Promise<void> {
  if (object === undefined || subresource !== "" || sameJson(object.spec, previous?.spec)) return;
  const problems = (await loadCel?.())?.policyProblems(object.spec) ?? [];
  if (problems.length > 0) throw invalid(ValidatingAdmissionPolicy, name, problems);
}

type Match = NonNullable<PolicySpec["matchConstraints"]>;
type NamedRule = Rule & { readonly resourceNames?: readonly string[] | undefined };

/** As what the policy sees the request; `undefined` if it is none of its business. */
function formFor(match: Match | undefined, request: AdmissionRequest, forms: readonly Form[]): Form | undefined {
  if (match === undefined) return forms[0];
  const hookWith = (rules: readonly NamedRule[]): Hook => ({ name: "", rules: rules.filter(({ resourceNames = [] }) => resourceNames.length === 0 || resourceNames.includes(request.name)), namespaceSelector: match.namespaceSelector, objectSelector: match.objectSelector, matchPolicy: match.matchPolicy ?? "Equivalent", clientConfig: undefined, admissionReviewVersions: [] });
  const all: NamedRule = { operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*", "*/*"] };
  const wanted = hookWith((match.resourceRules ?? []) as readonly NamedRule[]), unwanted = hookWith((match.excludeResourceRules ?? []) as readonly NamedRule[]);
  if (!matchSelectors(wanted, request) || matchRules(unwanted, request, forms) !== undefined) return undefined;
  return matchRules((match.resourceRules ?? []).length === 0 ? hookWith([all]) : wanted, request, forms) as Form | undefined;
}

function verdictsOf(evaluate: Policy, policy: ValidatingAdmissionPolicy, binding: ValidatingAdmissionPolicyBinding, request: AdmissionRequest, form: Form, own: Form, options: PolicyOptions): readonly Verdict[] {
  const { object = null, oldObject = null, uid: _uid, ...review } = reviewOf(request, form, own, "") as { readonly [name: string]: Json };
  const namespace = request.kind.namespaced ? request.read.get("", "namespaces", "", request.namespace) : undefined;
  const values = new Map<string, Json>([["object", object], ["oldObject", oldObject], ["request", review], ["namespaceObject", (namespace as Json | undefined) ?? null]]);
  if (policy.spec.paramKind === undefined) return evaluate(values);
  const params = paramsOf(policy, binding, request, options);
  if ("problem" in params) return policy.spec.failurePolicy === "Ignore" ? [] : [{ message: params.problem, reason: "Invalid" }];
  return params.found.flatMap(each => evaluate(new Map([...values, ["params", each]])));
}

/** The objects that a binding gives to its policy, one run for each. */
function paramsOf({ spec: { paramKind } }: ValidatingAdmissionPolicy, { spec: { paramRef } }: ValidatingAdmissionPolicyBinding, request: AdmissionRequest, options: PolicyOptions): { readonly found: readonly Json[] } | { readonly problem: string } {
  if (paramRef === undefined) return { found: [null] };
  const served = options.registry().all().find(each => each.apiVersion === paramKind?.apiVersion && each.kind.kind === paramKind?.kind);
  if (served === undefined) return { problem: `failed to configure policy: failed to find resource referenced by paramKind: '${paramKind?.apiVersion}, Kind=${paramKind?.kind}'` };
  const { namespaced } = served.kind, namespace = namespaced ? (paramRef.namespace ?? request.namespace) : "";
  if (namespaced && namespace === "") return { problem: "failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources" };
  const name = paramRef.name ?? "";
  const objects = name === "" ? request.read.list(served.group, served.resource, namespace).filter(each => selectorOf(paramRef.selector ?? {}).matches(each.metadata.labels)) : [request.read.get(served.group, served.resource, namespace, name)].filter(each => each !== undefined);
  if (objects.length > 0) return { found: objects.map(each => ({ ...(asServed(served, each) as { readonly [key: string]: Json }), apiVersion: served.apiVersion, kind: served.kind.kind })) };
  return paramRef.parameterNotFoundAction === "Allow" ? { found: [] } : { problem: "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction" };
}

function refusal(request: AdmissionRequest, { group: apiGroup, resource }: Form, message: string, reason: string): ApiError {
  const error = forbidden({ group: apiGroup, resource }, request.name, message);
  return new ApiError(reason as Reason, error.message, { ...error.details, causes: [{ message }] }, codes[reason] ?? 422);
}
