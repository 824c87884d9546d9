import assert from "node:assert/strict";
import { test } from "node:test";
import type { HttpRequest } from "./http.ts";
import { serveContent } from "./serve-content.ts";

const at = Date.parse("2026-01-01T00:00:00Z");
const at304 = { etag: '"e"', vary: "Accept" };
const asked = (headers: { readonly [name: string]: string }, method = "GET") => {
  const { status, headers: sent, content } = serveContent({ method, headers } as unknown as HttpRequest, "0123456789", at, { "content-type": "application/json", etag: '"e"', vary: "Accept" });
  return { status, sent, body: content.type === "text" ? content.text : content.type === "bytes" ? new TextDecoder().decode(content.bytes) : "" };
};

// request headers → status, body
const cases = [
  [{}, 200, "0123456789"],
  [{ range: "bytes=2-4" }, 206, "234"], [{ range: "bytes=7-" }, 206, "789"], [{ range: "bytes=-2" }, 206, "89"], [{ range: "bytes=8-99" }, 206, "89"],
  [{ range: "bytes=0-1,4-5" }, 200, "0123456789"], [{ range: "bytes=5-2" }, 416, "invalid range\n"], [{ range: "lines=1" }, 416, "invalid range\n"], [{ range: "bytes=10-" }, 416, "invalid range: failed to overlap\n"],
  [{ range: "bytes=2-4", "if-range": '"other"' }, 200, "0123456789"],
  [{ "if-none-match": '"e"' }, 304, ""], [{ "if-none-match": 'W/"e", "x"' }, 304, ""], [{ "if-none-match": "*" }, 304, ""], [{ "if-none-match": '"x"', "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT" }, 200, "0123456789"],
  [{ "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT" }, 304, ""], [{ "if-modified-since": "Wed, 31 Dec 2025 23:59:59 GMT" }, 200, "0123456789"], [{ "if-modified-since": "yesterday" }, 200, "0123456789"],
  [{ "if-match": '"x"' }, 412, ""], [{ "if-match": '"e"' }, 200, "0123456789"],
] as const;
for (const [headers, status, body] of cases) test(`${JSON.stringify(headers)} is answered ${status}`, () => {
  const answer = asked(headers);
  assert.deepEqual([answer.status, answer.body], [status, body]);
});

test("what is whole tells its time, what is known already only its tag", () => {
  assert.deepEqual(asked({}).sent, { "content-type": "application/json", ...at304, "accept-ranges": "bytes", "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" });
  assert.deepEqual(asked({ "if-none-match": '"e"' }).sent, at304);
  assert.equal(asked({ range: "bytes=2-4" }).sent["content-range"], "bytes 2-4/10");
  assert.equal(asked({ "if-none-match": '"e"' }, "POST").status, 412);
});
