/** ValidatingAdmissionPolicies: rules in CEL that may refuse what is written (apiserver pkg/admission/plugin/policy/validating). */
import { ApiError, type Reason } from "../../../base/api-error.ts";
import { stringifyJson } from "../../../base/json-codec.ts";
import type { ValidatingAdmissionPolicy } from "../../../kinds/admissionregistration/validatingadmissionpolicy.ts";
import type { ValidatingAdmissionPolicyBinding } from "../../../kinds/admissionregistration/validatingadmissionpolicybinding.ts";
import { forbidden } from "../../errors.ts";
import type { Named } from "../../errors.ts";
import type { AdmissionRequest, AdmissionStep } from "../admission.ts";
import { isExempt } from "../webhooks/match.ts";
import { refusedName } from "../webhooks/review.ts";
import { anyBinding, inputOf, invocationsOf, type PolicyInput, type PolicyOptions } from "./match.ts";

export type PolicySpec = ValidatingAdmissionPolicy["spec"];
/** What a policy says of a request: nothing if all is well. */
export type Policy = (input: PolicyInput) => Promise<Said>;
export type Said = { readonly verdicts: readonly Verdict[]; /** For the audit log. */ readonly annotations: readonly { readonly key: string; readonly value: string }[]; /** Annotations that could not be made, where that refuses the request. */ readonly failures: readonly string[] };
/** `index`: the rule's place in the policy. */
export type Verdict = { readonly message: string; readonly reason: string; readonly index: number };

/** Policies kept compiled. */
const policiesMax = 1_000;
/** Bytes of one annotation's value in the audit log. */
const annotationMax = 10 * 1024;
const bindings = "validatingadmissionpolicybindings";
const failureAnnotation = "validation.policy.admission.k8s.io/validation_failure";
const codes: { readonly [reason: string]: number } = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413, Invalid: 422 };
const noCel: Policy = async () => ({ verdicts: [{ message: "this server has no CEL", reason: "Invalid", index: 0 }], annotations: [], failures: [] });

export function validatingPolicies(options: PolicyOptions): AdmissionStep {
  /** By the policy's uid. */
  const compiled = new Map<string, { readonly generation: number; readonly policy: Policy }>();
  const policyOf = async ({ metadata, spec }: ValidatingAdmissionPolicy): Promise<Policy> => {
    const uid = metadata.uid ?? "", generation = metadata.generation ?? 0;
    const known = compiled.get(uid);
    if (known?.generation === generation) return known.policy;
    const policy: Policy = (await options.loadCel?.())?.policy(spec) ?? noCel;
    if (compiled.size >= policiesMax) compiled.clear();
    compiled.set(uid, { generation, policy });
    return policy;
  };

  return {
    name: "ValidatingAdmissionPolicy",
    validate(request) {
      return isExempt(request.kind) || !anyBinding(request, bindings) ? undefined : ask(request);
    },
  };

  async function ask(request: AdmissionRequest): Promise<void> {
    let denied: ApiError | undefined;
    const annotations = new Map<string, Set<string>>();
    for await (const asked of invocationsOf<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding>(request, options, { policies: "validatingadmissionpolicies", bindings })) {
      const { policy, binding } = asked;
      const by = `ValidatingAdmissionPolicy '${policy.metadata.name}'${binding === undefined ? "" : ` with binding '${binding.metadata.name}'`}`;
      const deny = (message: string, reason: string, of: Named): void => void (denied ??= refusal(request, of, `${by} denied request: ${message}`, reason));
      if ("message" in asked) {
        if (policy.spec.failurePolicy !== "Ignore") deny(asked.message, "Invalid", { group: request.served?.group ?? request.kind.group, resource: request.kind.plural });
        continue;
      }
      const said = await (await policyOf(policy))(inputOf(asked, request, options));
      for (const verdict of said.verdicts) announce(verdict, asked.binding, request, text => `Validation failed for ${by}: ${text}`, () => deny(verdict.message, verdict.reason, asked.form));
      for (const failure of said.failures) deny(failure, "Invalid", asked.form);
      for (const { key, value } of said.annotations) {
        const name = `${policy.metadata.name}/${key}`;
        annotations.set(name, (annotations.get(name) ?? new Set()).add(value.slice(0, annotationMax)));
      }
    }
    for (const [key, values] of annotations) request.annotate?.(key, [...values].join(", "));
    if (denied !== undefined) throw denied;
  }
}

/** What comes of a rule that does not hold, as the binding wants it. */
function announce({ message, index }: Verdict, { metadata, spec }: ValidatingAdmissionPolicyBinding, request: AdmissionRequest, warning: (text: string) => string, deny: () => void): void {
  for (const action of spec.validationActions) {
    if (action === "Warn") request.warn(warning(message));
    else if (action === "Deny") deny();
    else if (action === "Audit") request.annotate?.(failureAnnotation, stringifyJson([{ message, policy: spec.policyName ?? "", binding: metadata.name, expressionIndex: index, validationActions: [...spec.validationActions] }]));
  }
}

function refusal(request: AdmissionRequest, { group, resource }: Named, message: string, reason: string): ApiError {
  const error = forbidden({ group, resource }, refusedName(request), message);
  return new ApiError(reason as Reason, error.message, { ...error.details, causes: [{ message }] }, codes[reason] ?? 422);
}
