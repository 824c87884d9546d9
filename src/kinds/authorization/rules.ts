/** Rules of access reviews (kubernetes pkg/apis/authorization/validation). */
import { goValue } from "../../schema/go-value.ts";
import { invalidValue, type Problem } from "../../schema/problem.ts";
import { NonResourceAttributes } from "./types.ts";

type Spec = { readonly resourceAttributes?: { readonly namespace?: string | undefined } | undefined; readonly nonResourceAttributes?: unknown; readonly user?: string | undefined; readonly groups?: readonly string[] | undefined };

export function reviewRules(spec: Spec, needsUser: boolean): readonly Problem[] {
  const problems: Problem[] = [];
  if (spec.resourceAttributes !== undefined && spec.nonResourceAttributes !== undefined) problems.push(invalidValue("spec.nonResourceAttributes", goValue(NonResourceAttributes.node, spec.nonResourceAttributes), "cannot be specified in combination with resourceAttributes"));
  if (spec.resourceAttributes === undefined && spec.nonResourceAttributes === undefined) problems.push(invalidValue("spec.resourceAttributes", null, "exactly one of nonResourceAttributes or resourceAttributes must be specified"));
  if (needsUser && !spec.user && (spec.groups ?? []).length === 0) problems.push(invalidValue("spec.user", spec.user ?? "", "at least one of user or group must be specified"));
  return problems;
}
export function localReviewRules(spec: Spec, namespace: string | undefined): readonly Problem[] {
  const problems: Problem[] = [...reviewRules(spec, true)];
  if (spec.resourceAttributes !== undefined && spec.resourceAttributes.namespace !== namespace) problems.push(invalidValue("spec.resourceAttributes.namespace", spec.resourceAttributes.namespace ?? "", "must match metadata.namespace"));
  if (spec.nonResourceAttributes !== undefined) problems.push(invalidValue("spec.nonResourceAttributes", goValue(NonResourceAttributes.node, spec.nonResourceAttributes), "disallowed on this kind of request"));
  return problems;
}
