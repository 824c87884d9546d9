/** One line of a container's log: `2026-11-20T12:00:00.123456789Z stdout F text`. */
export type LogLine = { readonly stamp: string; readonly stream: "stdout" | "stderr"; /** The text goes on in the next line of this stream. */ readonly partial: boolean; readonly text: string };

/** Undefined for what is not such a line (a torn one at the edge of a read). */
export function parseLogLine(line: string): LogLine | undefined {
  const first = line.indexOf(" ");
  const second = line.indexOf(" ", first + 1);
  const third = line.indexOf(" ", second + 1);
  if (first < 20 || second < 0 || third < 0) return undefined;
  const stream = line.slice(first + 1, second);
  const tag = line.slice(second + 1, third);
  if ((stream !== "stdout" && stream !== "stderr") || !line.slice(0, first).endsWith("Z") && !/[+-]\d\d:\d\d$/.test(line.slice(0, first))) return undefined;
  return { stamp: line.slice(0, first), stream, partial: tag.split(":")[0] === "P", text: line.slice(third + 1) };
}
