/** What goes wrong while an expression is evaluated. `&&`, `||` and the loops made of them may absorb it. */
export class CelError extends Error {
  override name = "CelError";
}
/** The expression costs too much. Nothing absorbs that. */
export class OverBudget extends Error {
  override name = "OverBudget";
  constructor() {
    super("operation cancelled: actual cost limit exceeded");
  }
}
