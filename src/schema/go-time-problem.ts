/** What Go's time.Parse says of a text that is no RFC 3339 time (time/format.go). */

type Element = { readonly layout: string; readonly read: RegExp; readonly range?: readonly [name: string, least: number, most: number] };
const digits = (layout: string, name?: string, least = 0, most = 0): Element => ({ layout, read: /^\d\d/, ...(name === undefined ? {} : { range: [name, least, most] as const }) });
const literal = (layout: string): Element => ({ layout, read: new RegExp(`^${layout}`) });
const elements = (micro: boolean): readonly Element[] => [
  { layout: "2006", read: /^\d{4}/ }, literal("-"), digits("01", "month", 1, 12), literal("-"), digits("02"), literal("T"),
  digits("15", "hour", 0, 23), literal(":"), digits("04", "minute", 0, 59), literal(":"), digits("05", "second", 0, 59),
  micro ? { layout: ".000000", read: /^[.,]\d{6}/ } : { layout: "", read: /^(?:[.,]\d+)?/ },
  { layout: "Z07:00", read: /^(?:Z|[+-]\d\d:\d\d)/ },
];

/** `value` is none that `canonicalTime` reads. */
export function timeProblem(value: string, micro: boolean): string {
  const layout = `2006-01-02T15:04:05${micro ? ".000000" : ""}Z07:00`, whole = `parsing time ${JSON.stringify(value)}`;
  let rest = value;
  for (const element of elements(micro)) {
    const read = element.read.exec(rest)?.[0];
    if (read === undefined) return `${whole} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(element.layout)}`;
    if (element.range !== undefined && !(Number(read) >= element.range[1] && Number(read) <= element.range[2])) return `${whole}: ${element.range[0]} out of range`;
    rest = rest.slice(read.length);
  }
  const [, hours = "00", minutes = "00"] = /[+-](\d\d):(\d\d)$/.exec(value) ?? [];
  if (Number(hours) > 24 || Number(minutes) > 59) return `${whole}: time zone offset ${Number(hours) > 24 ? "hour" : "minute"} out of range`;
  return rest === "" ? `${whole}: day out of range` : `${whole}: extra text: ${JSON.stringify(rest)}`;
}
