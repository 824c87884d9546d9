/** Policies are refused whose expressions do not compile. */
import { sameJson } from "../../../base/json.ts";
import { MutatingAdmissionPolicy } from "../../../kinds/admissionregistration/mutatingadmissionpolicy.ts";
import { ValidatingAdmissionPolicy } from "../../../kinds/admissionregistration/validatingadmissionpolicy.ts";
import type { AnyKind } from "../../../kinds/kind.ts";
import type { Problem } from "../../../schema/problem.ts";
import type { Cel, LoadCel } from "../../cel.ts";
import type { Hooks } from "../../core.ts";

export const policyHooks = (loadCel: LoadCel | undefined): readonly (readonly [AnyKind, Hooks])[] => {
  const hooks = (problemsOf: (cel: Cel, spec: any) => readonly Problem[]): Hooks => ({
    problems: (next, previous, { subresource }) => (loadCel === undefined || subresource !== "" || sameJson(next.spec, previous?.spec) ? undefined : loadCel().then(cel => problemsOf(cel, next.spec))),
  });
  return [[ValidatingAdmissionPolicy, hooks((cel, spec) => cel.policyProblems(spec))], [MutatingAdmissionPolicy, hooks((cel, spec) => cel.mutatingProblems(spec))]];
};
