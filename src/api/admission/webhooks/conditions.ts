/** Match conditions that do not compile are refused with the configuration that has them. A step of its own, since the language may have to be loaded first. */
import { invalidValue } from "../../../schema/problem.ts";
import type { LoadCel } from "../../cel.ts";
import { invalid } from "../../errors.ts";
import type { AdmissionRequest, AdmissionStep } from "../admission.ts";
import type { Hook } from "./match.ts";

/** What conditions see besides the authorizer. */
export const conditionVariables = ["object", "oldObject", "request"] as const;

const conditionsOf = (object: any): readonly { readonly path: string; readonly expression: string }[] =>
  ((object?.webhooks ?? []) as readonly Hook[]).flatMap(({ matchConditions = [] }, i) => matchConditions.map(({ expression }, j) => ({ path: `webhooks[${i}].matchConditions[${j}].expression`, expression })));

export function webhookConditions(loadCel: LoadCel | undefined): AdmissionStep {
  return {
    name: "WebhookMatchConditions", isOurs: true,
    validate(request) {
      return request.kind.group !== "admissionregistration.k8s.io" || !request.kind.kind.endsWith("WebhookConfiguration") ? undefined : check(request);
    },
  };
  async function check({ kind, name, object, previous }: AdmissionRequest): Promise<void> {
    const known = new Set(conditionsOf(previous).map(({ expression }) => expression));
    const added = conditionsOf(object).filter(({ expression }) => expression.trim() !== "" && !known.has(expression));
    const cel = added.length === 0 ? undefined : await loadCel?.();
    const problems = added.flatMap(({ path, expression }) => {
      const why = cel?.conditionProblem(expression, conditionVariables);
      return why === undefined ? [] : [invalidValue(path, expression, why)];
    });
    if (problems.length > 0) throw invalid(kind, name, problems);
  }
}
