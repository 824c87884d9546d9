import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeNames, type Names } from "./names.ts";

/** `plural singular Kind short,names` */
const names = (text: string): Names => {
  const [plural = "", singular = "", kind = "", short = ""] = text.split(" ");
  return { plural, singular, kind, listKind: `${kind}List`, ...(short === "" ? {} : { shortNames: short.split(",") }) };
};
const none: Names = { plural: "", kind: "" };
const shown = ({ plural, singular = "", kind, shortNames = [] }: Names): string => [plural, singular, kind, shortNames.join(",")].join(" ").trim();

const table: readonly (readonly [string, string, Names, readonly string[], string, string])[] = [
  ["nobody else", "as a A x", none, [], "as a A x", ""],
  ["a short name that another has", "as a A x,y", none, ["bs b B x"], "as a A", 'ShortNamesConflict: "x" is already in use'],
  ["two of them", "as a A x,y", none, ["bs b B x,y"], "as a A", 'ShortNamesConflict: ["x" is already in use, "y" is already in use]'],
  ["a short name of one's own", "as a A x,y", names("as a A x"), ["bs b B z"], "as a A x,y", ""],
  ["a short name that is another's plural", "as a A bs", names("as a A"), ["bs b B"], "as a A", 'ShortNamesConflict: "bs" is already in use'],
  ["a kind that another has", "as a B", none, ["bs b B"], "as a", 'ListKindConflict: "BList" is already in use'],
  ["what one has stays", "as b A", names("as a A"), ["bs b B"], "as a A", 'SingularConflict: "b" is already in use'],
];
for (const [name, wanted, before, others, accepted, conflict] of table) test(`names of a definition: ${name}`, () => {
  const judged = judgeNames(names(wanted), before, others.map(names));
  assert.deepEqual([shown(judged.accepted), judged.conflict === undefined ? "" : `${judged.conflict.reason}: ${judged.conflict.message}`], [accepted, conflict]);
});
