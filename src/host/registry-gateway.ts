/**
 * Lets nodes that are boxes pull from registries on the machine's loopback, as in `127.0.0.1:5000/hello:v1`: their own loopback is another.
 * The machine's agent passes such requests on; a box's containerd is told, per registry, to ask there (`hosts.toml`). Reading only, and
 * only for who holds the token in a file that root alone may read: pods must not reach the machine's loopback this way.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { readFile } from "node:fs/promises";
import { messageOf, type Log } from "../base/log.ts";
import { writeFileAtomic } from "./files.ts";

export type Gateway = { readonly url: string; readonly token: string };
const tokenHeader = "x-timonier-token";
const connectionsMax = 64;
const answerMsMax = 60_000;

/** Serves on `address`, and says where and with which token in `noteFile`, until closed. */
export async function startRegistryGateway(address: string, noteFile: string, log: Log): Promise<{ close(): void }> {
  const token = randomBytes(24).toString("hex");
  const server = createServer((asked, answer) => {
    const told = Buffer.from(String(asked.headers[tokenHeader] ?? ""));
    if (told.length !== token.length || !timingSafeEqual(told, Buffer.from(token))) return end(answer, 401);
    if (asked.method !== "GET" && asked.method !== "HEAD") return end(answer, 405);
    const url = new URL(asked.url ?? "/", "http://registry");
    const registry = loopbackRegistry(url.searchParams.get("ns") ?? "");
    if (!registry || !url.pathname.startsWith("/v2/")) return end(answer, 404);
    url.searchParams.delete("ns");
    passOn(asked, answer, { ...registry, path: `${url.pathname}${url.search}` }, log);
  });
  server.maxConnections = connectionsMax;
  await new Promise<void>((done, fail) => { server.once("error", fail).listen({ host: address, port: 0 }, done); });
  const { port } = server.address() as { readonly port: number };
  await writeFileAtomic(noteFile, JSON.stringify({ url: `http://${address}:${port}`, token } satisfies Gateway));
  return { close: () => { server.close(); server.closeAllConnections(); } };
}

function passOn(asked: IncomingMessage, answer: ServerResponse, to: { readonly hostname: string; readonly port: number; readonly path: string }, log: Log): void {
  const { [tokenHeader]: _token, host: _host, connection: _connection, ...headers } = asked.headers;
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

/** `127.0.0.1:5000`, `localhost:5000`, `[::1]:5000`; undefined for any other registry. */
export function loopbackRegistry(name: string): { readonly hostname: string; readonly port: number } | undefined {
  const match = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::(\d{1,5}))?$/.exec(name);
  return match ? { hostname: match[1]!.replace(/[[\]]/g, ""), port: Number(match[2] ?? 80) } : undefined;
}

/** Before a box pulls: if the image lies in a registry on the machine's loopback, tells containerd (whose `hosts` folder this is) to ask the machine. */
export async function routeToMachine(reference: string, noteFile: string, hosts: string): Promise<void> {
  const registry = reference.split("/")[0] ?? "";
  if (!reference.includes("/") || !loopbackRegistry(registry)) return;
  let note: Gateway;
  try {
    note = JSON.parse(await readFile(noteFile, "utf8")) as Gateway;
  } catch (error) {
    throw new Error(`registry ${registry} is the machine's own, and the machine's node agent, which passes requests on, does not run: see "timonier status"`, { cause: error });
  }
  await writeFileAtomic(`${hosts}/${registry}/hosts.toml`, renderRoute(note));
}
export function renderRoute({ url, token }: Gateway): string {
  const q = (text: string): string => JSON.stringify(text);
  return `server = ${q(url)}\n[host.${q(url)}]\n  capabilities = ["pull", "resolve"]\n  [host.${q(url)}.header]\n    ${tokenHeader} = [${q(token)}]\n`;
}
