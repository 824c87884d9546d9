import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silent } from "../base/log.ts";
import type { Gateway } from "../node/registries.ts";
import { startRegistryGateway } from "./registry-gateway.ts";

test("requests with the token reach registries on the loopback, for reading only", async () => {
  const asked: string[] = [];
  const registry = createServer((request, answer) => { asked.push(`${request.method} ${request.url} ${request.headers["x-timonier-token"] ?? "-"}`); answer.end("layers"); });
  await new Promise<void>(done => registry.listen(0, "127.0.0.1", done));
  const folder = mkdtempSync(join(tmpdir(), "timonier-gateway-"));
  const gateway = await startRegistryGateway("127.0.0.1", join(folder, "note.json"), silent);
  try {
    const note = JSON.parse(readFileSync(join(folder, "note.json"), "utf8")) as Gateway;
    const { port } = registry.address() as { readonly port: number };
    const get = async (path: string, to: string, token = note.token, method = "GET"): Promise<string> => {
      const answer = await fetch(`${note.url}${path}`, { method, headers: { "x-timonier-token": token, "x-timonier-to": to } });
      return `${answer.status} ${await answer.text()}`;
    };
    const here = `127.0.0.1:${port}`;
    assert.equal(await get(`/v2/hello/manifests/v1?ns=127.0.0.1%3A${port}`, here), "200 layers");
    assert.equal(await get("/v2/library/nginx/manifests/v1?ns=docker.io", here), "200 layers");
    assert.deepEqual(asked, ["GET /v2/hello/manifests/v1 -", "GET /v2/library/nginx/manifests/v1?ns=docker.io -"]);
    assert.equal(await get("/v2/x", here, "guess"), "401 ");
    assert.equal(await get("/v2/x", here, note.token, "POST"), "405 ");
    assert.equal(await get("/v2/x", "192.0.2.1:5000"), "404 ");
    assert.equal(await get("/metrics", here), "404 ");
    assert.match(await get("/v2/x", "127.0.0.1:1"), /^502 127\.0\.0\.1:1: connect ECONNREFUSED/);
    assert.equal(asked.length, 2);
  } finally {
    gateway.close();
    registry.close();
    rmSync(folder, { recursive: true });
  }
});
