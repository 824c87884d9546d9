/**
 * The node agent's HTTPS server: the kubelet's paths over a `NodeApi`. The API server and administrators get in by their certificates;
 * whom others are, and what they may ask, the API server says (kubelet's webhook modes).
 */
import { ApiError } from "../base/api-error.ts";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { Log } from "../base/log.ts";
import { health } from "../api/health.ts";
import { HealthFigures } from "../api/health-figures.ts";
import { json, type HttpRequest } from "../api/http.ts";
import type { ContainerAddress, LogRequest, NodeApi } from "../node/api.ts";
import type { AgentFigures } from "../node/figures.ts";
import { nodeAttributes, type NodeAccess } from "../node/access.ts";
import { resourceMetrics } from "../node/streaming/resource-metrics.ts";
import type { HostResponse } from "./https-server-exchange.ts";
import { startHttpsServer, type HttpsServer, type ServerCredentials } from "./https-server.ts";
import { forwardResponse, logSocketResponse, processResponse } from "./node-server-streams.ts";
import { addStartTime } from "./process-figures.ts";
import { writer } from "./socket-carrier.ts";
import { isWebSocket } from "./websocket.ts";

export type NodeServerOptions = {
  readonly addresses: readonly string[];
  readonly port: number;
  readonly credentials: ServerCredentials;
  readonly node: NodeApi;
  readonly clock: Clock;
  readonly log: Log;
  /** Who else may ask, and what; absent: nobody. */
  readonly access?: NodeAccess;
  /** Counts the requests. */
  readonly figures?: AgentFigures;
};

// Its client certificate's name in our PKI (src/host/pki.ts).
const apiServer = "kube-apiserver-kubelet-client";
// What /run may answer: it has no stream to be read slowly.
const runBytesMax = 1024 * 1024;

// Paths that are counted by their name (server.go: addMetricsBucketMatcher); whatever else a client makes up is one.
const counted: ReadonlySet<string> = new Set(["healthz", "pods", "stats", "metrics", "metrics/cadvisor", "metrics/probes", "metrics/resource", "metrics/slis", "run", "exec", "attach", "portForward", "containerLogs", "configz", "runningpods", "logs"]);
const longRunning: ReadonlySet<string> = new Set(["exec", "attach", "portForward"]);
const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"]);

type Answering = NodeServerOptions & { readonly health: HealthFigures };

export function startNodeServer(given: NodeServerOptions): Promise<HttpsServer> {
  const options: Answering = { ...given, health: new HealthFigures() };
  addStartTime(options.health.metrics);
  return startHttpsServer({
    addresses: options.addresses, port: options.port, credentials: options.credentials, clock: options.clock, log: options.log,
    handler: async request => {
      const began = options.clock.monotonic();
      try {
        return await answer(request, options);
      } catch (error) {
        if (error instanceof ApiError) return json(error.code, error.status());
        throw error;
      } finally {
        count(request, options, options.clock.monotonic() - began);
      }
    },
  });
}

function count({ method, target }: HttpRequest, { figures }: NodeServerOptions, ms: number): void {
  const [, first = "", second] = (target.split("?", 1)[0] ?? "").split("/", 3);
  const path = first === "metrics" && second !== undefined ? `${first}/${second}` : first;
  figures?.requested(methods.has(method) ? method : "other", counted.has(path) ? path : "other", longRunning.has(path), ms);
}

async function answer(request: HttpRequest, options: Answering): Promise<HostResponse> {
  const [rawPath = "", rawQuery = ""] = request.target.split("?", 2);
  const refusal = await refused(request, rawPath, options);
  if (refusal) return refusal;
  const { node } = options;
  const query = new URLSearchParams(rawQuery);
  const [, verb = "", ...rest] = rawPath.split("/").map(decode);
  const [namespace = "", pod = "", third = "", fourth = ""] = rest;
  const upgrade = { clock: options.clock, log: options.log };
  // kubelet's long form puts the pod's uid before the container.
  const address: ContainerAddress = { namespace, pod, ...(rest.length > 3 ? { uid: third } : {}), container: rest.length > 3 ? fourth : third };
  const containerPath = rest.length >= 3 && rest.length <= 4 && rest.every(part => part !== "");
  switch (verb) {
    case "healthz":
      return (await health("healthz", rest.join("/"), query, [{ name: "ping", check: () => undefined }, { name: "log", check: () => undefined }, { name: "syncloop", check: () => node.healthz() }], options.log, options.health)) ?? notFound();
    case "pods": return json(200, { kind: "PodList", apiVersion: "v1", metadata: {}, items: node.pods() as unknown as Json });
    case "stats": return rest.join("/") === "summary" ? json(200, await node.statsSummary(["1", "true"].includes(query.get("only_cpu_and_memory") ?? ""))) : notFound();
    case "runningpods": return json(200, { kind: "PodList", apiVersion: "v1", metadata: {}, items: (await node.runningPods()) as unknown as Json });
    case "metrics":
      switch (rest.join("/")) {
        case "": return metrics(await node.metrics());
        case "cadvisor": return metrics(node.cadvisorMetrics());
        case "probes": return metrics(node.probeMetrics());
        case "resource": return metrics(resourceMetrics(await node.statsSummary(true), options.clock.now()));
        case "slis": return metrics(options.health.metrics.render());
        default: return notFound();
      }
    case "configz": return rest.join("/") === "" ? json(200, { kubeletconfig: node.configuration() }) : notFound();
    // As with enableSystemLogHandler=false: the logs of a machine that is somebody's own are not the cluster's.
    case "logs": return text(405, "logs endpoint is disabled.\n");
    case "containerLogs": {
      if (rest.length !== 3 || !containerPath) return notFound();
      const write = await node.logs(logRequest(address, query));
      if (isWebSocket(request.headers)) return logSocketResponse(request, write, upgrade);
      return { status: 200, headers: { "content-type": "text/plain" }, content: { type: "writable", run: (out, signal) => write({ write: writer(out) }, signal) } };
    }
    case "exec": {
      if (!containerPath) return notFound();
      const { wanted, command } = processQuery(query, true);
      const run = await node.exec({ ...address, command, tty: wanted.tty });
      return processResponse(request, { wanted, command, run, failure: "error executing command in container" }, upgrade);
    }
    case "attach": {
      if (!containerPath) return notFound();
      const { wanted } = processQuery(query, false);
      const run = await node.attach({ ...address, tty: wanted.tty });
      return processResponse(request, { wanted, failure: "error attaching to container", run: async (streams, signal) => { await run(streams, signal); return {}; } }, upgrade);
    }
    case "run": {
      if (!containerPath || request.method !== "POST") return notFound();
      return text(200, await runToEnd(node, address, query.getAll("cmd").flatMap(part => part.split(" ")).filter(Boolean), request.signal));
    }
    case "portForward": {
      if (rest.length < 2 || rest.length > 3) return notFound();
      const uid = rest[2];
      const found = node.pods().find(({ metadata }) => metadata.namespace === namespace && metadata.name === pod && (uid === undefined || metadata.uid === uid));
      if (!found) throw new ApiError("NotFound", "pod does not exist");
      return forwardResponse(request, { name: `${pod}_${namespace}`, uid: found.metadata.uid ?? "" }, [...query.getAll("port"), ...query.getAll("ports")],
        (port, local, signal) => node.portForward({ namespace, pod, ...(uid === undefined ? {} : { uid }) }, port, local, signal), upgrade);
    }
    default: return notFound();
  }
}

/** The API server has asked for its users already; everybody else's rights on this node are the API server's to say. */
async function refused({ peer, headers, method }: HttpRequest, path: string, { access }: NodeServerOptions): Promise<HostResponse | undefined> {
  const { certificate } = peer;
  if (certificate?.ca === "client" && (certificate.commonName === apiServer || certificate.organizations.includes("system:masters"))) return undefined;
  const user = certificate?.ca === "client" ? { username: certificate.commonName, groups: [...certificate.organizations, "system:authenticated"] } : await access?.authenticate(headers["authorization"]);
  if (user === undefined) return text(401, "Unauthorized");
  const wanted = nodeAttributes(method, path);
  if (access !== undefined && (await access.allowed(user, wanted))) return undefined;
  return text(403, `Forbidden (user=${user.username}, verb=${wanted.verb}, resource=nodes, subresource(s)=[${wanted.subresources.join(" ")}])\n`);
}

/** The parameters of exec and attach: kubelet's names, and the API's. */
function processQuery(query: URLSearchParams, needsCommand: boolean) {
  const on = (...names: readonly string[]): boolean => names.some(name => ["1", "true"].includes(query.get(name) ?? ""));
  const tty = on("tty");
  // Upstream's NewOptions: a terminal has one output only.
  const wanted = { stdin: on("input", "stdin"), stdout: on("output", "stdout"), stderr: on("error", "stderr") && !tty, tty };
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) throw new ApiError("BadRequest", "you must specify at least 1 of stdin, stdout, stderr");
  const command = query.getAll("command");
  if (needsCommand && command.length === 0) throw new ApiError("BadRequest", "you must specify a command");
  return { wanted, command };
}

function logRequest(address: ContainerAddress, query: URLSearchParams): LogRequest {
  const number = (name: string): number | undefined => {
    const given = query.get(name);
    if (given === null || given === "") return undefined;
    if (!/^\d{1,15}$/.test(given)) throw new ApiError("BadRequest", `${name}: Invalid value: "${given}": must be a number that is not negative`);
    return Number(given);
  };
  const on = (name: string): boolean => ["1", "true"].includes(query.get(name) ?? "");
  const [tailLines, limitBytes, sinceSeconds, sinceTime, stream] = [number("tailLines"), number("limitBytes"), number("sinceSeconds"), query.get("sinceTime"), query.get("stream")];
  if (stream !== null && !["All", "Stdout", "Stderr"].includes(stream)) throw new ApiError("BadRequest", `stream: Unsupported value: "${stream}": supported values: "All", "Stderr", "Stdout"`);
  return {
    ...address, follow: on("follow"), previous: on("previous"), timestamps: on("timestamps"),
    ...(tailLines === undefined ? {} : { tailLines }), ...(limitBytes === undefined ? {} : { limitBytes }), ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(sinceTime ? { sinceTime } : {}), ...(stream === null ? {} : { stream: stream as "All" | "Stdout" | "Stderr" }),
  };
}

async function runToEnd(node: NodeApi, address: ContainerAddress, command: readonly string[], signal: AbortSignal): Promise<string> {
  const run = await node.exec({ ...address, command, tty: false });
  let output = "";
  const decoder = new TextDecoder();
  const sink = { write: async (chunk: Uint8Array) => { output = (output + decoder.decode(chunk, { stream: true })).slice(0, runBytesMax); } };
  await run({ stdout: sink, stderr: sink }, signal);
  return output;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ApiError("BadRequest", "the path is not encoded properly");
  }
}

function text(status: number, body: string): HostResponse {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, content: { type: "text", text: body } };
}

function metrics(body: string): HostResponse {
  return { status: 200, headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" }, content: { type: "text", text: body } };
}

function notFound(): HostResponse {
  return text(404, "404 page not found\n");
}
