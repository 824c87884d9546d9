import { assert } from "../../base/assert.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";
import type { AdmissionFigures, Phase } from "./figures.ts";

export type Admission = AdmissionRequest;

/** The steps in their order, and who counts them; those that are run once more are not counted twice. */
export type Pipeline = { readonly admission: readonly AdmissionStep[]; readonly admissionFigures?: AdmissionFigures };

/** Runs one phase of every step. A promise only where a step waits for something: most have nothing to do. */
export function admit(pipeline: Pipeline, phase: Phase, request: Admission): Promise<void> | undefined {
  const { admission: steps, admissionFigures: figures } = pipeline;
  const beganMs = figures === undefined ? 0 : figures.now();
  let i = 0;
  try {
    for (; i < steps.length; i++) {
      const outcome = run(steps[i]!, phase, request);
      if (outcome !== undefined) return finish(outcome, pipeline, i, phase, request, beganMs);
    }
  } catch (error) {
    count(figures, phase, request, 0, i + 1, beganMs, beganMs, true);
    throw error;
  }
  count(figures, phase, request, 0, i, beganMs, beganMs, false);
  return undefined;
}

async function finish(first: Promise<void>, { admission: steps, admissionFigures: figures }: Pipeline, at: number, phase: Phase, request: Admission, beganMs: number): Promise<void> {
  let [i, from, sinceMs, waiting]: [number, number, number, Promise<void> | undefined] = [at, 0, beganMs, first];
  try {
    for (;;) {
      if (waiting !== undefined) {
        if (figures !== undefined) sinceMs = figures.passed(phase, request.operation, from, i, sinceMs);
        from = i;
        await waiting;
        if (figures !== undefined) sinceMs = figures.passed(phase, request.operation, i, i + 1, sinceMs);
        from = i + 1;
      }
      if (++i === steps.length) break;
      waiting = run(steps[i]!, phase, request);
    }
  } catch (error) {
    count(figures, phase, request, from, i + 1, sinceMs, beganMs, true);
    throw error;
  }
  count(figures, phase, request, from, i, sinceMs, beganMs, false);
}

function count(figures: AdmissionFigures | undefined, phase: Phase, { operation }: Admission, from: number, to: number, sinceMs: number, beganMs: number, refused: boolean): void {
  if (figures !== undefined) figures.ended(phase, operation, beganMs, figures.passed(phase, operation, from, to, sinceMs, refused), refused);
}

function run(step: AdmissionStep, phase: Phase, request: Admission): Promise<void> | undefined {
  const outcome = phase === "mutate" ? step.mutate?.(request) : step.validate?.(request);
  if (outcome === undefined) return undefined;
  assert(typeof outcome.then === "function", `admission step ${step.name} answers nothing or a promise`);
  return outcome;
}
