/** Lines of crontab as robfig/cron v3 reads them (ParseStandard), and when they come round next. Pure: the time zone's rules come from ECMA-402. */

export type Schedule = { readonly next: (after: number) => number | undefined };

type Field = { readonly values: ReadonlySet<number>; readonly star: boolean };
const names: { readonly [kind: string]: readonly string[] } = {
  month: ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  dow: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};
const shortcuts: { readonly [name: string]: string } = {
  "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
};
const units: { readonly [unit: string]: number } = { s: 1_000, m: 60_000, h: 3_600_000 };
const minuteMs = 60_000;
/** A line that never comes round (30 February) is looked for this long. */
const horizonMs = 5 * 366 * 86_400_000;

/** Reads a line; throws with the reason why it makes no sense. */
export function parseSchedule(text: string, timeZone: string | undefined): Schedule {
  const zone = zoneOf(timeZone);
  const every = /^@every ((?:[0-9]{1,9}[smh])+)$/.exec(text.trim());
  if (every !== null) {
    const period = [...every[1]!.matchAll(/([0-9]{1,9})([smh])/g)].reduce((total, [, count, unit]) => total + Number(count) * units[unit!]!, 0);
    return { next: after => Math.floor(after / 1000) * 1000 + Math.max(1000, period) };
  }
  const line = Object.hasOwn(shortcuts, text.trim()) ? shortcuts[text.trim()]! : text;
  if (line.startsWith("@")) throw new Error(`unrecognized descriptor: ${text}`);
  const parts = line.trim().split(/\s+/);
  if (parts.length !== 5) throw new Error(`expected exactly 5 fields, found ${parts.length}: [${parts.join(" ")}]`);
  const [minute, hour, day, month, dow] = [parseField(parts[0]!, 0, 59), parseField(parts[1]!, 0, 23), parseField(parts[2]!, 1, 31), parseField(parts[3]!, 1, 12, "month"), parseField(parts[4]!, 0, 6, "dow")];
  const onDay = ({ date, weekday }: Local): boolean => {
    const [a, b] = [day.values.has(date), dow.values.has(weekday)];
    return day.star || dow.star ? a && b : a || b;
  };
  return {
    next(after) {
      let time = Math.floor(after / minuteMs) * minuteMs + minuteMs;
      while (time < after + horizonMs) {
        const local = zone(time);
        if (!month.values.has(local.month) || !onDay(local)) time += (60 - local.minute) * minuteMs + Math.max(0, 22 - local.hour) * 60 * minuteMs;
        else if (!hour.values.has(local.hour)) time += (60 - local.minute) * minuteMs;
        else if (!minute.values.has(local.minute)) time += minuteMs;
        else return time;
      }
      return undefined;
    },
  };
}

function parseField(text: string, min: number, max: number, kind?: "month" | "dow"): Field {
  const values = new Set<number>();
  let star = false;
  for (const part of text.split(",")) {
    const [range = "", step, ...more] = part.split("/");
    if (more.length > 0) throw new Error(`too many slashes: ${part}`);
    let [low, high] = [min, max];
    if (range === "*" || range === "?") star ||= step === undefined || step === "1";
    else {
      const [first = "", last, ...others] = range.split("-");
      if (others.length > 0) throw new Error(`too many hyphens: ${part}`);
      low = parseNumber(first, kind);
      high = last === undefined ? (step === undefined ? low : max) : parseNumber(last, kind);
    }
    const by = step === undefined ? 1 : parseNumber(step);
    if (low < min) throw new Error(`beginning of range (${low}) below minimum (${min}): ${part}`);
    if (high > max) throw new Error(`end of range (${high}) above maximum (${max}): ${part}`);
    if (low > high) throw new Error(`beginning of range (${low}) beyond end of range (${high}): ${part}`);
    if (by === 0) throw new Error(`step of range should be a positive number: ${part}`);
    for (let value = low; value <= high; value += by) values.add(value);
  }
  return { values, star };
}
function parseNumber(text: string, kind?: "month" | "dow"): number {
  const named = kind === undefined ? -1 : names[kind]!.indexOf(text.toLowerCase());
  if (named >= 0 && text !== "") return named;
  if (!/^[0-9]{1,6}$/.test(text)) throw new Error(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

type Local = { readonly month: number; readonly date: number; readonly weekday: number; readonly hour: number; readonly minute: number };

/** What a clock on the wall shows. */
function zoneOf(timeZone: string | undefined): (time: number) => Local {
  if (timeZone === undefined || timeZone === "" || timeZone === "UTC" || timeZone === "Etc/UTC")
    return time => {
      const at = new Date(time);
      return { month: at.getUTCMonth() + 1, date: at.getUTCDate(), weekday: at.getUTCDay(), hour: at.getUTCHours(), minute: at.getUTCMinutes() };
    };
  const format = new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", month: "numeric", day: "numeric", weekday: "short", hour: "numeric", minute: "numeric" });
  return time => {
    const parts = new Map(format.formatToParts(new Date(time)).map(({ type, value }) => [type, value]));
    const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
    return { month: number("month"), date: number("day"), weekday: names["dow"]!.indexOf((parts.get("weekday") ?? "").toLowerCase()), hour: number("hour"), minute: number("minute") };
  };
}
