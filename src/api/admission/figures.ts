/** How long admission takes, for /metrics (apiserver pkg/admission/metrics). */
import type { Clock } from "../../base/clock.ts";
import type { Counter, Histogram, Metrics, Spread } from "../../base/metrics.ts";
import type { AdmissionStep, Operation } from "./admission.ts";

export type Phase = "mutate" | "validate";

const bounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const types = { mutate: "admit", validate: "validate" } as const;

type Row = { readonly whole: Spread; readonly steps: readonly (Spread | undefined)[] };

/**
 * Every write comes by: the clock is read where a phase begins and ends and where a step waits, not between steps that answer at once; these share the
 * time they took together. Their number is exact, and so are buckets, whose first ends where no such step does.
 */
export class AdmissionFigures {
  readonly #clock: Clock;
  readonly #steps: readonly AdmissionStep[];
  readonly #phase: Histogram;
  readonly #step: Histogram;
  readonly #webhook: Histogram;
  readonly #refusals: Counter;
  readonly #open: Counter;
  /** By operation and phase, of what was not refused. */
  readonly #rows: (Row | undefined)[] = [];

  constructor(metrics: Metrics, clock: Clock, steps: readonly AdmissionStep[]) {
    this.#clock = clock;
    this.#steps = steps;
    this.#phase = metrics.histogram("apiserver_admission_step_admission_duration_seconds", "Seconds that a phase of admission took: all that admits, then all that validates.", bounds, ["type", "operation", "rejected"]);
    this.#step = metrics.histogram("apiserver_admission_controller_admission_duration_seconds", "Seconds that one part of admission took, by its name; parts that wait for nothing share evenly what they took together.", bounds, ["name", "type", "operation", "rejected"]);
    this.#webhook = metrics.histogram("apiserver_admission_webhook_admission_duration_seconds", "Seconds until an admission webhook had answered, by its name.", [...bounds, 10, 25], ["name", "type", "operation", "rejected"]);
    this.#refusals = metrics.counter("apiserver_admission_webhook_rejection_count", "Requests that a webhook refused, or that were refused because it could not be asked.", ["name", "type", "operation", "error_type", "rejection_code"]);
    this.#open = metrics.counter("apiserver_admission_webhook_fail_open_count", "Times that a webhook could not be asked and was passed over.", ["name", "type"]);
  }

  now(): number {
    return this.#clock.monotonic();
  }
  /** Steps from `from` until before `to` are done, and the last of them refused it, or not. Answers the time. */
  passed(phase: Phase, operation: Operation, from: number, to: number, sinceMs: number, refused = false): number {
    const now = this.#clock.monotonic();
    const seconds = (now - sinceMs) / 1000 / Math.max(1, to - from);
    const { steps } = this.#row(phase, operation);
    const rest = refused ? to - 1 : to;
    for (let i = from; i < rest; i++) steps[i]?.add(seconds);
    if (refused && this.#isTold(this.#steps[rest]!, phase)) this.#step.observe(seconds, this.#steps[rest]!.name, types[phase], operation, "true");
    return now;
  }
  ended(phase: Phase, operation: Operation, beganMs: number, nowMs: number, refused: boolean): void {
    const seconds = (nowMs - beganMs) / 1000;
    if (refused) this.#phase.observe(seconds, types[phase], operation, "true");
    else this.#row(phase, operation).whole.add(seconds);
  }
  /** `code`: of the refusal; absent when it was not asked. `failed`: it could not be asked. */
  webhook(name: string, mutating: boolean, operation: Operation, sinceMs: number, refusal?: { readonly code: number; readonly failed: boolean }): void {
    const type = mutating ? "admit" : "validating";
    this.#webhook.observe((this.now() - sinceMs) / 1000, name, type, operation, String(refusal !== undefined));
    if (refusal !== undefined) this.#refusals.add(1, name, type, operation, refusal.failed ? "calling_webhook_error" : "no_error", Math.min(refusal.code, 600));
  }
  failedOpen(name: string, mutating: boolean): void {
    this.#open.add(1, name, mutating ? "admit" : "validating");
  }

  #row(phase: Phase, operation: Operation): Row {
    const slot = (operation === "CREATE" ? 0 : operation === "UPDATE" ? 2 : operation === "DELETE" ? 4 : 6) + (phase === "mutate" ? 0 : 1);
    return (this.#rows[slot] ??= this.#newRow(types[phase], operation, phase));
  }
  #newRow(type: string, operation: Operation, phase: Phase): Row {
    return { whole: this.#phase.spread(type, operation, "false"), steps: this.#steps.map(step => (this.#isTold(step, phase) ? this.#step.spread(step.name, type, operation, "false") : undefined)) };
  }
  #isTold(step: AdmissionStep, phase: Phase): boolean {
    return step.isOurs !== true && step[phase] !== undefined;
  }
}
