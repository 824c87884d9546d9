/** Finding by regular expression (apiserver pkg/cel/library/regex.go). */
import { CelError } from "../error.ts";
import { type Host, type Library, type Overload, type Regex, member, traversal } from "../functions.ts";
import { listOf, types } from "../types.ts";
import { Items, type Value, sizeOf } from "../values.ts";

const { string, int } = types;

function compiled(pattern: Value, host: Host): Regex {
  const regex = host.regex(pattern as string);
  if (regex === undefined) throw new CelError(`Illegal regex: error parsing regexp: ${String(pattern)}`);
  return regex;
}
const cost: Overload["cost"] = ([text, pattern]) => traversal(1 + sizeOf(text!)) * Math.ceil(sizeOf(pattern!) * 0.25);
/** More matches than this do not fit into the budget. */
const matchesMax = 1_000_000;

export const regexLibrary: Library = new Map<string, readonly Overload[]>([
  ["find", [member("string_find_string", [string, string], string, ([text, pattern], host) => compiled(pattern!, host).find(text as string) ?? "", cost)]],
  ["findAll", [
    member("string_find_all_string", [string, string], listOf(string), ([text, pattern], host) => new Items(compiled(pattern!, host).findAll(text as string, matchesMax)), cost),
    member("string_find_all_string_int", [string, string, int], listOf(string), ([text, pattern, limit], host) => {
      const count = limit as bigint;
      return new Items(count === 0n ? [] : compiled(pattern!, host).findAll(text as string, count < 0n || count > BigInt(matchesMax) ? matchesMax : Number(count)));
    }, cost),
  ]],
]);
