/** An API server of somebody else and a conversion webhook, in a process of its own: the group example.com/v1 with a few things in memory. Tells on its output who asked for what. */
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";

type Settings = { readonly address: string; readonly cert: string; readonly key: string; /** Who may say in headers who is asking: the cluster's front proxy. */ readonly frontProxyCa: string };
const { address, cert, key, frontProxyCa } = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as Settings;

const thing = (name: string, version: number, more: object = {}) => ({ apiVersion: "other.example.com/v1", kind: "Thing", metadata: { name, namespace: "default", uid: name, resourceVersion: String(version), creationTimestamp: "2026-01-01T00:00:00Z", ...more } });
const things = new Map([["one", thing("one", 1)]]);
const watchers = new Set<ServerResponse>();
let revision = 2;
const tell = (type: string, object: object): void => {
  for (const watcher of watchers) watcher.write(`${JSON.stringify({ type, object })}\n`);
};
const resources = { kind: "APIResourceList", apiVersion: "v1", groupVersion: "other.example.com/v1", resources: [{ name: "things", singularName: "thing", namespaced: true, kind: "Thing", shortNames: ["th"], verbs: ["create", "delete", "get", "list", "watch"] }] };
const convert = ({ request }: any) => ({
  kind: "ConversionReview", apiVersion: "apiextensions.k8s.io/v1",
  response: { uid: request.uid, result: { status: "Success" }, convertedObjects: request.objects.map((object: any) => {
    const [host, port] = String(object.spec.hostPort ?? ":").split(":");
    return { ...object, apiVersion: request.desiredAPIVersion, spec: "hostPort" in object.spec ? { host, port } : { hostPort: `${object.spec.host}:${object.spec.port}` } };
  }) },
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (status: number, body: unknown): void => void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const url = new URL(request.url ?? "/", "https://other");
  let body = "";
  for await (const chunk of request) body += String(chunk);
  if (url.pathname === "/convert") return send(200, convert(JSON.parse(body)));
  const peer = (request.socket as TLSSocket).authorized ? (request.socket as TLSSocket).getPeerCertificate().subject.CN : "nobody";
  console.log(`${peer} for ${request.headers["x-remote-user"]} [${request.headers["x-remote-group"]}]: ${request.method} ${request.url}`);
  const [space, name] = /^\/apis\/other\.example\.com\/v1(?:\/namespaces\/([^/]+))?\/things(?:\/([^/]+))?$/.exec(url.pathname)?.slice(1) ?? [];
  const found = things.get(name ?? "");
  if (name !== undefined && found !== undefined && request.method === "GET") return send(200, found);
  if (name !== undefined && found !== undefined && request.method === "DELETE") {
    things.delete(name);
    tell("DELETED", thing(name, ++revision));
    return send(200, { kind: "Status", apiVersion: "v1", status: "Success" });
  }
  if (name === undefined && space !== undefined && request.method === "POST") {
    const { metadata } = JSON.parse(body);
    const made = thing(metadata.name, ++revision, { namespace: space, ownerReferences: metadata.ownerReferences });
    things.set(metadata.name, made);
    tell("ADDED", made);
    return send(201, made);
  }
  switch (url.pathname) {
    case "/apis/other.example.com/v1": return send(200, resources);
    case "/apis/other.example.com/v1/things":
    case `/apis/other.example.com/v1/namespaces/${space}/things`:
      if (url.searchParams.get("watch") === null) return send(200, { kind: "ThingList", apiVersion: "other.example.com/v1", metadata: { resourceVersion: String(revision) }, items: [...things.values()].filter(({ metadata }) => space === undefined || metadata.namespace === space) });
      response.writeHead(200, { "content-type": "application/json" });
      watchers.add(response);
      response.on("close", () => watchers.delete(response));
      for (const [type, name] of [["ADDED", "two"], ["DELETED", "two"]]) response.write(`${JSON.stringify({ type, object: thing(name!, 2) })}\n`);
      return;
    default: return send(404, { kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code: 404, message: `nothing at ${url.pathname}` });
  }
}

const server = createServer({ cert, key, ca: frontProxyCa, requestCert: true, rejectUnauthorized: false }, (request, response) => void answer(request, response));
server.listen(0, address, () => console.log(`port ${(server.address() as AddressInfo).port}`));
