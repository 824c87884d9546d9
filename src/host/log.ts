import type { Fields, Log } from "../base/log.ts";

const levels = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

/** Writes lines `2026-11-20T12:00:00.000Z info component message key=value` to a stream (stdout of a daemon is its log file). */
export function lineLog(write: (line: string) => void, lowest: Level, component = "", fixed: Fields = {}): Log {
  const at = (level: Level) => (message: string, fields: Fields = {}): void => {
    if (levels.indexOf(level) < levels.indexOf(lowest)) return;
    const pairs = Object.entries({ ...fixed, ...fields }).filter(([, value]) => value !== undefined).map(([name, value]) => ` ${name}=${quoted(String(value))}`).join("");
    write(`${new Date().toISOString()} ${level.padEnd(5)} ${component ? `${component}: ` : ""}${oneLine(message)}${pairs}\n`);
  };
  return {
    debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"),
    child: (name, fields = {}) => lineLog(write, lowest, component ? `${component}/${name}` : name, { ...fixed, ...fields }),
  };
}

const oneLine = (text: string): string => text.replaceAll("\n", "\\n");
const quoted = (text: string): string => (/^[\w.:/@-]*$/.test(text) ? text : JSON.stringify(text));
