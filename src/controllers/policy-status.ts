import type { Json } from "../base/json.ts";
import { apiVersionOf } from "../kinds/kind.ts";
import { ValidatingAdmissionPolicy } from "../kinds/admissionregistration/validatingadmissionpolicy.ts";
import type { Controller } from "./controller.ts";

const name = "validatingadmissionpolicy-status-controller";

/** Says in a policy's status what is wrong with the types in its expressions, once for each generation (pkg/controller/validatingadmissionpolicystatus). */
export const policyStatusController: Controller = {
  name: "validatingadmissionpolicy-status",
  account: name,
  reconciles: ValidatingAdmissionPolicy,
  watches: [],

  async reconcile(key, context) {
    const policy = context.read(ValidatingAdmissionPolicy).get(key);
    const { checkPolicy } = context.settings;
    if (policy === undefined || checkPolicy === undefined || (policy.metadata.generation ?? 0) <= (policy.status.observedGeneration ?? 0)) return undefined;
    const expressionWarnings = await checkPolicy(policy);
    const status = { observedGeneration: policy.metadata.generation ?? 0, typeChecking: expressionWarnings.length === 0 ? {} : { expressionWarnings: expressionWarnings as readonly object[] as readonly Json[] } };
    const body = { apiVersion: apiVersionOf(ValidatingAdmissionPolicy), kind: ValidatingAdmissionPolicy.kind, metadata: { name: key }, status };
    await context.ifThere(context.patch(ValidatingAdmissionPolicy, policy, { type: "apply", body, force: true }, { fieldManager: "validatingadmissionpolicy-status", subresource: "status" }));
    return undefined;
  },
};
