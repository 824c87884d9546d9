/**
 * The head of an HTTP/1.1 message, read strictly: what two readers could understand differently is refused, never repaired (promises.md
 * P22). Lines that are passed on are passed on as they came.
 */
import { hopByHop } from "./https-server-exchange.ts";

/** What a field means to a proxy; what is `pass` is passed on. */
export type FieldName = { readonly lower: string; readonly role: "pass" | "hop" | "ours" | "host" | "content-length" | "transfer-encoding" | "connection" | "upgrade" | "expect" };

// Never what a client says: the backends trust these.
const ours = new Set(["x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-forwarded-scheme", "x-real-ip", "x-scheme", "x-original-forwarded-for", "forwarded"]);
const framing = new Set(["host", "content-length", "transfer-encoding", "connection", "upgrade", "expect"]);
// Names repeat from request to request; a client that invents names only makes its own requests slower.
const namesMax = 1_000;
const names = new Map<string, FieldName>();
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** A bare CR or LF, or a control character. */
const forbidden = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n/;

export class BadMessage extends Error {
  /** What a client is told. */
  readonly status: number;
  constructor(text: string, status = 400) {
    super(text);
    this.status = status;
  }
}

/** Header fields in their order. `names` and the positions of each line in `text` go together. */
export class Fields {
  readonly text: string;
  readonly names: readonly FieldName[];
  /** Three for each field: start of the line, its colon, the end before CRLF. */
  readonly #at: readonly number[];
  constructor(text: string, fieldNames: readonly FieldName[], at: readonly number[]) {
    this.text = text;
    this.names = fieldNames;
    this.#at = at;
  }

  valueAt(i: number): string {
    return this.text.slice(this.#at[3 * i + 1]! + 1, this.#at[3 * i + 2]).trim();
  }
  /** With its CRLF. */
  lineAt(i: number): string {
    return this.text.slice(this.#at[3 * i], this.#at[3 * i + 2]! + 2);
  }
  /** `name` in lower case; what occurs more than once is joined. */
  get(name: string): string | undefined {
    let value: string | undefined;
    for (let i = 0; i < this.names.length; i++)
      if (this.names[i]!.lower === name) value = value === undefined ? this.valueAt(i) : `${value}${name === "cookie" ? "; " : ", "}${this.valueAt(i)}`;
    return value;
  }
  /** The lines of a request that may be passed on, but those named in `without`. */
  passed(without: ReadonlySet<string> | undefined): string {
    let lines = "";
    for (let i = 0; i < this.names.length; i++) if (this.names[i]!.role === "pass" && without?.has(this.names[i]!.lower) !== true) lines += this.lineAt(i);
    return lines;
  }
  /** The same of an answer, where only framing and this hop's own fields stay behind. */
  answered(without: ReadonlySet<string> | undefined): string {
    let lines = "";
    for (let i = 0; i < this.names.length; i++) {
      const { lower, role } = this.names[i]!;
      if ((role === "pass" || role === "ours" || role === "host" || role === "expect") && without?.has(lower) !== true) lines += this.lineAt(i);
    }
    return lines;
  }
}

/** Reads lines from `from` up to the empty line that ends `text` (which ends with CRLF CRLF). */
export function readFields(text: string, from: number, countMax: number): Fields {
  if (forbidden.test(text)) throw new BadMessage("a control character or a line that does not end in CRLF");
  const found: FieldName[] = [];
  const at: number[] = [];
  for (let start = from; ;) {
    const end = text.indexOf("\r\n", start);
    if (end <= start) return new Fields(text, found, at);
    const colon = text.indexOf(":", start);
    if (colon < 0 || colon > end) throw new BadMessage("a header line without a colon");
    found.push(fieldName(text.slice(start, colon)));
    if (found.length > countMax) throw new BadMessage("too many header fields", 431);
    at.push(start, colon, end);
    start = end + 2;
  }
}

/** Names and values of lines that were read already. */
export function pairsOf(lines: string): [name: string, value: string][] {
  return lines.split("\r\n").slice(0, -1).map(line => { const colon = line.indexOf(":"); return [line.slice(0, colon), line.slice(colon + 1).trim()]; });
}
export function linesOf(pairs: Iterable<readonly [name: string, value: string]>): string {
  let lines = "";
  for (const [name, value] of pairs) lines += `${name}: ${value}\r\n`;
  return lines;
}

/** A field list from names and values that another layer has checked (HTTP/2). */
export function fieldsOf(pairs: Iterable<readonly [name: string, value: string]>): Fields {
  return readFields(`${linesOf(pairs)}\r\n`, 0, Infinity);
}

export function fieldName(name: string): FieldName {
  const known = names.get(name);
  if (known) return known;
  // White space before the colon and folded lines fail here too.
  if (!token.test(name)) throw new BadMessage("a header name with characters that names do not have");
  const lower = name.toLowerCase();
  // Servers that make variables of headers cannot tell `_` from `-`.
  const role = framing.has(lower) ? lower as FieldName["role"] : hopByHop.has(lower) ? "hop" : ours.has(lower.replaceAll("_", "-")) ? "ours" : "pass";
  const read: FieldName = { lower, role };
  if (names.size < namesMax) names.set(name, read);
  return read;
}

/** What the fields say about the message itself. */
export type Framing = {
  /** Undefined: not declared. */
  readonly contentLength: number | undefined;
  readonly chunked: boolean;
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly host: string | undefined;
  readonly upgrade: string | undefined;
  readonly expect: string | undefined;
  /** Fields that `Connection` names besides: for this hop only. */
  readonly nominated: ReadonlySet<string> | undefined;
};

export function framingOf(fields: Fields, isRequest: boolean): Framing {
  let contentLength: number | undefined;
  let chunked = false;
  let connection: string | undefined;
  let host: string | undefined;
  let upgrade: string | undefined;
  let expect: string | undefined;
  for (let i = 0; i < fields.names.length; i++) {
    switch (fields.names[i]!.role) {
      case "pass": case "hop": case "ours": break;
      case "content-length": {
        const value = fields.valueAt(i);
        if (!/^\d{1,15}$/.test(value)) throw new BadMessage("a Content-Length that is no number");
        if (contentLength !== undefined) throw new BadMessage("more than one Content-Length");
        contentLength = Number(value);
        break;
      }
      case "transfer-encoding":
        if (chunked) throw new BadMessage("more than one Transfer-Encoding");
        if (fields.valueAt(i).toLowerCase() !== "chunked") throw new BadMessage("a Transfer-Encoding other than chunked");
        chunked = true;
        break;
      case "connection": connection = connection === undefined ? fields.valueAt(i) : `${connection},${fields.valueAt(i)}`; break;
      case "host":
        if (host !== undefined) throw new BadMessage("more than one Host");
        host = fields.valueAt(i);
        if (!/^[A-Za-z0-9._~:[\]%-]*$/.test(host)) throw new BadMessage("a Host that is no name");
        break;
      case "upgrade": upgrade = fields.valueAt(i).toLowerCase(); break;
      case "expect": expect = fields.valueAt(i).toLowerCase(); break;
    }
  }
  if (chunked && contentLength !== undefined) throw new BadMessage("both Content-Length and Transfer-Encoding");
  let [close, keepAlive, upgrades] = [false, false, false];
  let nominated: Set<string> | undefined;
  if (connection !== undefined) for (const part of connection.toLowerCase().split(",")) {
    const name = part.trim();
    if (name === "close") close = true;
    else if (name === "keep-alive") keepAlive = true;
    else if (name === "upgrade") upgrades = true;
    else if (name !== "") (nominated ??= new Set()).add(name);
  }
  return { contentLength, chunked, close, keepAlive, host, upgrade: upgrades || !isRequest ? upgrade : undefined, expect, nominated };
}

export type RequestHead = { readonly method: string; readonly target: string; readonly minor: number; readonly fields: Fields; readonly framing: Framing };
/** `text` ends with CRLF CRLF. Throws BadMessage. */
export function readRequest(text: string, countMax: number): RequestHead {
  const end = text.indexOf("\r\n");
  const line = text.slice(0, end);
  const [, method, target, minor] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) (\/[\x21-\x7e]*) HTTP\/1\.([01])$/.exec(line) ?? [];
  if (method === undefined || target === undefined) throw new BadMessage("not a request line");
  const fields = readFields(text, end + 2, countMax);
  const framing = framingOf(fields, true);
  if (minor === "1" ? framing.host === undefined : framing.chunked) throw new BadMessage(minor === "1" ? "no Host" : "chunked in HTTP/1.0");
  return { method, target, minor: minor === "1" ? 1 : 0, fields, framing };
}

export type ResponseHead = { readonly status: number; readonly reason: string; readonly minor: number; readonly fields: Fields; readonly framing: Framing };
export function readResponse(text: string, countMax: number): ResponseHead {
  const end = text.indexOf("\r\n");
  const [, minor, status, reason = ""] = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/.exec(text.slice(0, end)) ?? [];
  if (status === undefined) throw new BadMessage("not a status line", 502);
  const fields = readFields(text, end + 2, countMax);
  return { status: Number(status), reason, minor: minor === "1" ? 1 : 0, fields, framing: framingOf(fields, false) };
}
