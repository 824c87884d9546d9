/** How many seats a level could have used, over time (apiserver pkg/util/flowcontrol/fairqueuing/integrator.go, apf_controller.go). */

/** How long levels keep what they lent or borrowed. */
export const adjustMs = 10_000;
/** What remains of the old demand after one period. */
const smoothing = 0.977;

export class Demand {
  #value = 0;
  #sinceMs: number;
  #startMs: number;
  #sum = 0;
  #squares = 0;
  #highest = 0;
  highest = 0;
  average = 0;
  deviation = 0;
  smoothed = 0;

  constructor(nowMs: number) {
    this.#sinceMs = this.#startMs = nowMs;
  }

  set(value: number, nowMs: number): void {
    const ms = nowMs - this.#sinceMs;
    if (ms > 0) {
      this.#sum += this.#value * ms;
      this.#squares += this.#value * this.#value * ms;
      this.#sinceMs = nowMs;
    }
    this.#value = value;
    if (value > this.#highest) this.#highest = value;
  }

  /** Ends a period and begins the next. A long one counts as the many periods that it might have been. */
  close(nowMs: number): void {
    this.set(this.#value, nowMs);
    const ms = nowMs - this.#startMs;
    this.highest = this.#highest;
    if (ms > 0) {
      this.average = this.#sum / ms;
      this.deviation = Math.sqrt(Math.max(0, this.#squares / ms - this.average * this.average));
      const envelope = this.average + this.deviation;
      const kept = smoothing ** Math.max(1, Math.round(ms / adjustMs));
      this.smoothed = Math.max(envelope, kept * this.smoothed + (1 - kept) * envelope);
    }
    this.#sum = this.#squares = 0;
    this.#startMs = nowMs;
    this.#highest = this.#value;
  }
}
