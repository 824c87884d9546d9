import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silent } from "../base/log.ts";
import { loopbackRegistry, renderRoute, routeToMachine, startRegistryGateway, type Gateway } from "./registry-gateway.ts";

for (const [name, found] of [
  ["127.0.0.1:5000", "127.0.0.1:5000"], ["localhost:5000", "localhost:5000"], ["127.4.5.6", "127.4.5.6:80"], ["[::1]:5001", "::1:5001"],
  ["docker.io", ""], ["127.0.0.1.example.com:5000", ""], ["10.0.0.1:5000", ""], ["localhost:5000@evil", ""], ["", ""],
] as const)
  test(`registry "${name}" is ${found === "" ? "none of the loopback's" : found}`, () => {
    const registry = loopbackRegistry(name);
    assert.equal(registry ? `${registry.hostname}:${registry.port}` : "", found);
  });

test("requests with the token reach registries on the loopback, for reading only", async () => {
  const asked: string[] = [];
  const registry = createServer((request, answer) => { asked.push(`${request.method} ${request.url} ${request.headers["x-timonier-token"] ?? "-"}`); answer.end("layers"); });
  await new Promise<void>(done => registry.listen(0, "127.0.0.1", done));
  const folder = mkdtempSync(join(tmpdir(), "timonier-gateway-"));
  const gateway = await startRegistryGateway("127.0.0.1", join(folder, "note.json"), silent);
  try {
    const note = JSON.parse(readFileSync(join(folder, "note.json"), "utf8")) as Gateway;
    const { port } = registry.address() as { readonly port: number };
    const get = async (path: string, token = note.token, method = "GET"): Promise<string> => {
      const answer = await fetch(`${note.url}${path}`, { method, headers: { "x-timonier-token": token } });
      return `${answer.status} ${await answer.text()}`;
    };
    assert.equal(await get(`/v2/hello/manifests/v1?ns=127.0.0.1%3A${port}`), "200 layers");
    assert.deepEqual(asked, ["GET /v2/hello/manifests/v1 -"]);
    assert.equal(await get(`/v2/x?ns=127.0.0.1:${port}`, "guess"), "401 ");
    assert.equal(await get(`/v2/x?ns=127.0.0.1:${port}`, note.token, "POST"), "405 ");
    assert.equal(await get("/v2/x?ns=192.0.2.1:5000"), "404 ");
    assert.equal(await get(`/metrics?ns=127.0.0.1:${port}`), "404 ");
    assert.match(await get("/v2/x?ns=127.0.0.1:1"), /^502 127\.0\.0\.1:1: connect ECONNREFUSED/);
    assert.equal(asked.length, 1);
    await routeToMachine("127.0.0.1:5000/hello:v1", join(folder, "note.json"), join(folder, "hosts"));
    assert.equal(readFileSync(join(folder, "hosts/127.0.0.1:5000/hosts.toml"), "utf8"), renderRoute(note));
    await routeToMachine("docker.io/library/nginx", join(folder, "absent"), join(folder, "hosts"));
    await assert.rejects(routeToMachine("localhost:5000/x", join(folder, "absent"), join(folder, "hosts")), /registry localhost:5000 is the machine's own/);
  } finally {
    gateway.close();
    registry.close();
    rmSync(folder, { recursive: true });
  }
});
