/**
 * Golden HTTP conversations: every file in test/transcripts is one conversation with a fresh server. `UPDATE=1 node tools/test.ts unit
 * test/transcripts.test.ts` rewrites the answers; the diff is the review.
 *
 *   POST /path            a request; `Name: value` lines are headers, what follows is the body (JSON, `base64:…`, or YAML after `yaml:`)
 *   < 201                 the answer: status, headers that matter, body (JSON is indented, protobuf is base64)
 *   WATCH /path           opens a watch and leaves it open; EVENTS prints what it has got since, END closes it
 *   ADVANCE 60s           lets time pass
 *   AS alice              who sends the following requests (`admin` is in system:masters)
 *   ! managedFields       shows managedFields, which are left out otherwise
 */
import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { HttpResponse } from "../src/api/http.ts";
import { bodyOf, Collector, settle, startHarness, type Harness } from "./transcripts/harness.ts";

const root = new URL("./transcripts/", import.meta.url).pathname;

for (const file of globSync("*.txt", { cwd: root }).sort())
  test(`transcript ${file}`, async () => {
    const text = readFileSync(root + file, "utf8");
    const replayed = await replay(text);
    if (process.env["UPDATE"] === "1") writeFileSync(root + file, replayed);
    else assert.equal(replayed, text);
  });

type Watching = { readonly out: Collector; readonly stop: AbortController; readonly done: Promise<void> };

async function replay(text: string): Promise<string> {
  const harness = await startHarness();
  let [user, watching, remembered] = ["admin", undefined as Watching | undefined, new Map<string, string>()];
  const managed = /^! managedFields$/m.test(text);
  const blocks = text.split(/\n{2,}/).map(block => block.trimEnd()).filter(block => block !== "");
  const out: string[] = [];
  for (const block of blocks) {
    const lines = block.split("\n").filter(line => !line.startsWith("<"));
    const at = lines.findIndex(line => /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|WATCH|EVENTS|END|ADVANCE|AS|COMPACT)\b/.test(line));
    if (at < 0) {
      out.push(block);
      continue;
    }
    const [verb = "", argument = ""] = substitute(lines[at]!, remembered).split(/ (.*)/s);
    const answer: string[] = [];
    if (verb === "AS") user = argument;
    else if (verb === "ADVANCE") await harness.clock.advance(Number.parseInt(argument) * (argument.endsWith("ms") ? 1 : argument.endsWith("m") ? 60_000 : 1000));
    else if (verb === "COMPACT") await harness.store.compact(harness.store.revision);
    else if (verb === "WATCH") watching = await open(harness, user, argument, headersOf(lines.slice(at + 1)).headers, answer);
    else if (verb === "EVENTS" || verb === "END") {
      await settle();
      answer.push(...(watching?.out.take() ?? []).flatMap(chunk => eventLines(chunk, managed)));
      if (verb === "END") {
        watching?.stop.abort();
        await watching?.done;
      }
    } else answer.push(...(await request(harness, user, verb, argument, lines.slice(at + 1).map(line => substitute(line, remembered)), managed, remembered)));
    out.push([...lines, ...answer.map(line => `< ${line}`.trimEnd())].join("\n"));
  }
  watching?.stop.abort();
  await watching?.done;
  await harness.close();
  return `${out.join("\n\n")}\n`;
}

/** `{continue}`, `{uid}` and `{resourceVersion}` of the last answer that had one. */
const substitute = (line: string, remembered: ReadonlyMap<string, string>): string => line.replace(/\{(continue|uid|resourceVersion)\}/g, (_, name: string) => remembered.get(name) ?? "");

function headersOf(lines: readonly string[]): { headers: { [name: string]: string }; body: string[] } {
  const headers: { [name: string]: string } = {};
  let i = 0;
  for (; i < lines.length; i++) {
    const match = /^([A-Za-z][A-Za-z0-9-]*): (.*)$/.exec(lines[i]!);
    if (match === null) break;
    headers[match[1]!.toLowerCase()] = match[2]!;
  }
  return { headers, body: lines.slice(i) };
}

async function request(harness: Harness, user: string, method: string, target: string, lines: readonly string[], managed: boolean, remembered: Map<string, string>): Promise<string[]> {
  const { headers, body } = headersOf(lines);
  const text = body.join("\n");
  const sent = text.startsWith("base64:") ? Buffer.from(text.slice(7), "base64") : text;
  const type = headers["content-type"] ?? (text === "" ? undefined : method === "PATCH" ? "application/strategic-merge-patch+json" : "application/json");
  const response = await harness.send(method, target, { user, headers: { ...headers, ...(type === undefined ? {} : { "content-type": type }) }, body: sent });
  return render(response, await bodyOf(response), managed, remembered);
}

const shown = ["location", "retry-after", "warning", "etag", "www-authenticate", "allow"];

function render(response: HttpResponse, body: string | Uint8Array, managed: boolean, remembered: Map<string, string>): string[] {
  const lines = [String(response.status)];
  const type = String(response.headers["content-type"] ?? "");
  if (response.content.type === "forward") return [...lines, ...JSON.stringify(response.content.to, null, 2).split("\n")];
  if (type !== "application/json") lines.push(`content-type: ${type}`);
  for (const name of shown) for (const value of [response.headers[name] ?? []].flat()) lines.push(`${name}: ${name === "etag" ? value.slice(0, 13) + "…" : value}`);
  if (typeof body !== "string") return [...lines, `base64:${Buffer.from(body).toString("base64")}`];
  if (!type.startsWith("application/json") || body === "") return [...lines, ...body.trimEnd().split("\n")].filter(line => line !== "");
  const value = JSON.parse(body) as any;
  for (const name of ["continue", "uid", "resourceVersion"]) if (value.metadata?.[name] !== undefined) remembered.set(name, value.metadata[name]);
  return [...lines, ...JSON.stringify(value, managed ? undefined : withoutManaged, 2).split("\n")];
}

const withoutManaged = (key: string, value: unknown): unknown => (key === "managedFields" ? undefined : value);

async function open(harness: Harness, user: string, target: string, headers: { readonly [name: string]: string }, answer: string[]): Promise<Watching> {
  const stop = new AbortController();
  const response = await harness.send("GET", target, { user, headers, signal: stop.signal });
  const out = new Collector();
  if (response.content.type !== "stream") {
    answer.push(...render(response, await bodyOf(response), false, new Map()));
    return { out, stop, done: Promise.resolve() };
  }
  answer.push(`${response.status}`, `content-type: ${String(response.headers["content-type"])}`);
  const done = response.content.run(out, stop.signal).then(() => void out.write("(the stream ends)\n"));
  await settle();
  return { out, stop, done };
}

function eventLines(chunk: string | Uint8Array, managed: boolean): string[] {
  if (typeof chunk !== "string") return [`base64:${Buffer.from(chunk).toString("base64")}`];
  return chunk.split("\n").filter(line => line !== "").map(line => (line.startsWith("{") ? JSON.stringify(JSON.parse(line), managed ? undefined : withoutManaged) : line));
}
