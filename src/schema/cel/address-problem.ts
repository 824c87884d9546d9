/** Why a text is no IP address, in the words of Go's net/netip. */
import { goQuote } from "../problem.ts";

type Problem = readonly [text: string, at?: string];

/** For texts that are none; `ParseAddr("1.5"): IPv4 address too short`. */
export function addressProblem(text: string): string {
  const kind = /[.:%]/.exec(text)?.[0];
  const [problem, at = ""] = kind === "." ? fourFields(text) ?? unread : kind === ":" ? sixteen(text) : kind === "%" ? ["missing IPv6 address"] : unread;
  return `ParseAddr(${goQuote(text)}): ${problem}${at === "" ? "" : ` (at ${goQuote(at)})`}`;
}
const unread: Problem = ["unable to parse IP"];

function fourFields(text: string): Problem | undefined {
  let digits = "", dots = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (/[0-9]/.test(char)) {
      if (digits === "0") return ["IPv4 field has octet with leading zero"];
      digits += char;
      if (Number(digits) > 255) return ["IPv4 field has value >255"];
    } else if (char === ".") {
      if (i === 0 || i === text.length - 1 || text[i - 1] === ".") return ["IPv4 field must have at least one digit", text.slice(i)];
      if (dots++ === 3) return ["IPv4 address too long"];
      digits = "";
    } else return ["unexpected character", text.slice(i)];
  }
  return dots < 3 ? ["IPv4 address too short"] : undefined;
}

function sixteen(whole: string): Problem {
  const percent = whole.indexOf("%");
  if (percent === whole.length - 1) return ["zone must be a non-empty string"];
  let rest = percent < 0 ? whole : whole.slice(0, percent), bytes = 0, open = rest.startsWith("::");
  if (open) rest = rest.slice(2);
  while (bytes < 16) {
    const group = /^[0-9a-fA-F]*/.exec(rest)![0];
    if (group.length > 4) return ["each group must have 4 or less digits", rest];
    if (group === "") return ["each colon-separated field must have at least one digit", rest];
    if (rest[group.length] === ".") {
      if (!open && bytes !== 12) return ["embedded IPv4 address must replace the final 2 fields of the address", rest];
      if (bytes > 12) return ["too many hex fields to fit an embedded IPv4 at the end of the address", rest];
      const problem = fourFields(rest);
      if (problem !== undefined) return problem;
      bytes += 4;
      rest = "";
      break;
    }
    bytes += 2;
    rest = rest.slice(group.length);
    if (rest === "") break;
    if (rest[0] !== ":") return ["unexpected character, want colon", rest];
    if (rest.length === 1) return ["colon must be followed by more characters", rest];
    rest = rest.slice(1);
    if (rest[0] !== ":") continue;
    if (open) return ["multiple :: in address", rest];
    open = true;
    rest = rest.slice(1);
    if (rest === "") break;
  }
  if (rest !== "") return ["trailing garbage after address", rest];
  return bytes < 16 ? ["address string too short"] : ["the :: must expand to at least one field of zeros"];
}
