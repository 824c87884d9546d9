/** Who works long leaves the thread to others from time to time. */

/** Cost of expressions after which others have a turn, some 20 ms; one expression may go on to what it may use, some 80 ms. */
export const stepCost = 250_000;

/** Counts what expressions cost, whoever they work for, since others last had a turn. */
export class Pace {
  readonly #turn: () => Promise<void>;
  #cost = 0;
  constructor(turn: () => Promise<void>) {
    this.#turn = turn;
  }
  spend(cost: number): void {
    this.#cost += cost;
  }
  /** It is time for `rest`. */
  get isTired(): boolean {
    return this.#cost >= stepCost;
  }
  async rest(): Promise<void> {
    this.#cost = 0;
    await this.#turn();
  }
}
