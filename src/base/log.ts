/** Where a component writes what happened. One line an event; fields are printed after the message as `key=value`. */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** The same log with a component name and fields of its own. */
  child(component: string, fields?: Fields): Log;
}
export type Fields = { readonly [name: string]: string | number | boolean | undefined };

/** Says nothing: for tests and for components whose noise does not matter. */
export const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** What an unknown thrown value says, with the causes behind it. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}
