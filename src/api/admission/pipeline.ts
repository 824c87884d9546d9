import { assert } from "../../base/assert.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";

export type Admission = AdmissionRequest;

/** Runs one phase of every step, in the order of the list. A promise only where a step waits for something: most have nothing to do. */
export function admit(steps: readonly AdmissionStep[], phase: "mutate" | "validate", request: Admission): Promise<void> | undefined {
  for (let i = 0; i < steps.length; i++) {
    const outcome = run(steps[i]!, phase, request);
    if (outcome !== undefined) return finish(outcome, steps, i + 1, phase, request);
  }
  return undefined;
}

async function finish(waiting: Promise<void>, steps: readonly AdmissionStep[], from: number, phase: "mutate" | "validate", request: Admission): Promise<void> {
  await waiting;
  for (let i = from; i < steps.length; i++) {
    const outcome = run(steps[i]!, phase, request);
    if (outcome !== undefined) await outcome;
  }
}

function run(step: AdmissionStep, phase: "mutate" | "validate", request: Admission): Promise<void> | undefined {
  const outcome = phase === "mutate" ? step.mutate?.(request) : step.validate?.(request);
  if (outcome === undefined) return undefined;
  assert(typeof outcome.then === "function", `admission step ${step.name} answers nothing or a promise`);
  return outcome;
}
