/**
 * Lets nodes that are boxes pull from registries on the machine's loopback, as in `127.0.0.1:5000/hello:v1`: their own loopback is another.
 * The machine's agent passes such requests on; a box's containerd is told, per registry, to ask there (`hosts.toml`). Reading only, and
 * only for who holds the token in a file that root alone may read: pods must not reach the machine's loopback this way.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { messageOf, type Log } from "../base/log.ts";
import { gatewayTargetHeader, gatewayTokenHeader, loopbackRegistry, type Gateway } from "../node/registries.ts";
import { writeFileAtomic } from "./files.ts";

const connectionsMax = 64;
const answerMsMax = 60_000;

/** Serves on `address`, and says where and with which token in `noteFile`, until closed. */
export async function startRegistryGateway(address: string, noteFile: string, log: Log): Promise<{ close(): void }> {
  const token = randomBytes(24).toString("hex");
  const server = createServer((asked, answer) => {
    const told = Buffer.from(String(asked.headers[gatewayTokenHeader] ?? ""));
    if (told.length !== token.length || !timingSafeEqual(told, Buffer.from(token))) return end(answer, 401);
    if (asked.method !== "GET" && asked.method !== "HEAD") return end(answer, 405);
    const url = new URL(asked.url ?? "/", "http://registry");
    const target = String(asked.headers[gatewayTargetHeader] ?? "");
    const registry = loopbackRegistry(target);
    if (!registry || !url.pathname.startsWith("/v2/")) return end(answer, 404);
    // A mirror is told whose image it is; the registry itself knows.
    if (url.searchParams.get("ns") === target) url.searchParams.delete("ns");
    passOn(asked, answer, { ...registry, path: `${url.pathname}${url.search}` }, log);
  });
  server.maxConnections = connectionsMax;
  await new Promise<void>((done, fail) => { server.once("error", fail).listen({ host: address, port: 0 }, done); });
  const { port } = server.address() as { readonly port: number };
  await writeFileAtomic(noteFile, JSON.stringify({ url: `http://${address}:${port}`, token } satisfies Gateway));
  return { close: () => { server.close(); server.closeAllConnections(); } };
}

function passOn(asked: IncomingMessage, answer: ServerResponse, to: { readonly hostname: string; readonly port: number; readonly path: string }, log: Log): void {
  const { [gatewayTokenHeader]: _token, [gatewayTargetHeader]: _target, host: _host, connection: _connection, ...headers } = asked.headers;
  const outgoing = httpRequest({ ...to, method: asked.method!, headers, agent: false, timeout: answerMsMax }, found => {
    answer.writeHead(found.statusCode ?? 502, found.headers);
    found.pipe(answer);
    found.on("error", () => answer.destroy());
  });
  outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${answerMsMax} ms`)));
  outgoing.on("error", error => {
    log.debug("a registry on the loopback could not be asked", { registry: `${to.hostname}:${to.port}`, error: messageOf(error) });
    if (answer.headersSent) answer.destroy();
    else end(answer, 502, `${to.hostname}:${to.port}: ${error.message}\n`);
  });
  answer.on("close", () => outgoing.destroy());
  outgoing.end();
}

function end(answer: ServerResponse, status: number, text = ""): void {
  answer.writeHead(status, { "content-type": "text/plain" }).end(text);
}
