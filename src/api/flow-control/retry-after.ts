/** What a refused client is told to wait: doubled while many are refused, one second less for each quiet one (apiserver pkg/util/flowcontrol/dropped_requests_tracker.go). */

const secondsMax = 32;

export class RetryAfter {
  #seconds = 1;
  #raisedAt = 0;
  #second = 0;
  #count = 0;
  #history: { readonly second: number; readonly count: number }[] = [];

  get seconds(): number {
    return this.#seconds;
  }

  /** One request was refused at `nowMs`. */
  refused(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second === this.#second) return void this.#count++;
    this.#history.push({ second: this.#second, count: this.#count });
    const oldest = this.#second - Math.min(2 * this.#seconds, secondsMax);
    this.#history = this.#history.filter(entry => entry.second >= oldest);
    [this.#second, this.#count] = [second, 1];
    this.#judge(second);
  }

  #judge(second: number): void {
    const recent = this.#history.filter(entry => entry.second < second && second - entry.second <= this.#seconds).reduce((sum, { count }) => sum + count, 0);
    if (second - this.#raisedAt >= this.#seconds && recent >= 3 * this.#seconds) {
      this.#seconds = Math.min(2 * this.#seconds, secondsMax);
      this.#raisedAt = second;
    } else if (recent < this.#seconds && this.#seconds > 1) this.#seconds--;
  }
}
