import { assert } from "../../base/assert.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";

export type Admission = AdmissionRequest;

/** Runs one phase of every step, in the order of the list. */
export async function admit(steps: readonly AdmissionStep[], phase: "mutate" | "validate", request: Admission): Promise<void> {
  for (const step of steps) {
    const outcome = phase === "mutate" ? step.mutate?.(request) : step.validate?.(request);
    if (outcome === undefined) continue;
    assert(typeof outcome.then === "function", `admission step ${step.name} answers nothing or a promise`);
    await outcome;
  }
}
