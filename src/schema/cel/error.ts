/** What goes wrong while an expression is evaluated. `&&`, `||` and the loops made of them may absorb it. */
export class CelError extends Error {
  override name = "CelError";
}
/** Something that evaluating needs is not there yet: once `ready` is over, evaluating begins anew. Nothing absorbs that. */
export class Pending extends Error {
  override name = "Pending";
  readonly ready: () => Promise<void>;
  constructor(ready: () => Promise<void>) {
    super("evaluating has to wait");
    this.ready = ready;
  }
}
/** The expression costs too much. Nothing absorbs that. */
export class OverBudget extends Error {
  override name = "OverBudget";
  constructor() {
    super("operation cancelled: actual cost limit exceeded");
  }
}
