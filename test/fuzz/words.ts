import type { Format } from "../../src/schema/t.ts";
import { below, pick, type Random } from "./values.ts";

/** Texts and numbers of a format, most of them right. */
export function grammarOf(format: Format, random: Random): unknown {
  switch (format) {
    case "quantity": return pick(random, ["100m", "1", "64Mi", "1.5Gi", "0", "-1", "1e3", "1n", "999E", "1.0000000001", "0.1m", 1, 1.5, "1Zi", "", "+1", "1e99999"]);
    case "int-or-string": return pick(random, [80, "http", "25%", "0%", "101%", -1, 65536, "80", ""]);
    case "date-time": case "micro-time": return pick(random, ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00+02:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "now", null]);
    case "duration": return pick(random, ["1s", "1h30m", "-1s", "1.5h", "1y", ""]);
    case "byte": return pick(random, ["YQ==", "", "YQ", "a b", "////", "A".repeat(below(random, 400) * 4)]);
    case "int32": case "int64": case "double": return below(random, 100);
  }
}
