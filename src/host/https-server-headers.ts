/** The header fields of a request as the core wants them, from the raw list that both HTTP versions give. */
import type { Headers } from "../api/http.ts";

// Of these the first one counts, as in Go's Header.Get; joining them with commas would make nonsense of them.
const singular = new Set(["authorization", "content-length", "content-type", "content-encoding", "host", "user-agent", "origin", "referer", "if-match", "if-none-match"]);

/** `raw` is name, value, name, value, …; pseudo-headers are left out, and `:authority` becomes `host`. */
export function headersOf(raw: readonly string[]): Headers {
  const headers: { [name: string]: string | string[] } = Object.create(null);
  for (let i = 0; i + 1 < raw.length; i += 2) {
    let name = (raw[i] as string).toLowerCase();
    const value = raw[i + 1] as string;
    if (name.charCodeAt(0) === 58 /* : */) {
      if (name !== ":authority") continue;
      name = "host";
    }
    const before = headers[name];
    if (before === undefined) headers[name] = value;
    // A group name may contain a comma: these are never joined.
    else if (name.startsWith("impersonate-") || name.startsWith("x-remote-")) headers[name] = Array.isArray(before) ? [...before, value] : [before, value];
    else if (!singular.has(name)) headers[name] = `${String(before)}${name === "cookie" ? "; " : ", "}${value}`;
  }
  return headers;
}

/** Whether the path and query are something that may be routed and sent on: origin form, printable ASCII only. */
export function isTarget(target: string): boolean {
  return target.startsWith("/") && /^[\x21-\x7e]+$/.test(target);
}
