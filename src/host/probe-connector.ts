/** Connections from the node to its pods, for probes and hooks. Errors read as Go's do, since users see them in events. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import type { Connector, HttpProbe } from "../node/host.ts";
import { GrpcClient, GrpcError, grpcCode } from "./grpc.ts";

/** Upstream reads no more of a probe's answer (pkg/probe/http: maxRespBodyLength). */
const bodyBytesMax = 10 * 1024;
const redirectsMax = 10;
const healthStatus = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"] as const;
const healthCheck = { path: "/grpc.health.v1.Health/Check", request: { service: [1, "string"] }, answer: { status: [1, "enum"] } } as const;

export function probeConnector(): Connector {
  return {
    http: async probe => {
      let next = probe;
      for (let redirects = 0; ; redirects++) {
        const answer = await once(next);
        const location = answer.status >= 300 && answer.status < 400 ? answer.location : undefined;
        if (location === undefined) return { status: answer.status, body: answer.body };
        const target = new URL(location, urlOf(next));
        // Only the pod itself may send the probe on: anything else would make the node a client of strangers.
        if (target.hostname !== new URL(urlOf(next)).hostname) return { status: answer.status, body: answer.body, redirectedElsewhere: true };
        if (redirects >= redirectsMax) throw new Error(`Get "${urlOf(probe)}": stopped after 10 redirects`);
        next = { ...next, scheme: target.protocol === "https:" ? "https" : "http", port: Number(target.port || (target.protocol === "https:" ? 443 : 80)), path: target.pathname + target.search };
      }
    },
    tcp: (host, port, timeoutMs) => new Promise((resolve, reject) => {
      const socket = connect({ host, port });
      const end = (error: Error | undefined): void => {
        clearTimeout(timer);
        socket.destroy();
        if (error) reject(error);
        else resolve();
      };
      const timer = setTimeout(() => end(new Error(`dial tcp ${joined(host, port)}: i/o timeout`)), timeoutMs);
      socket.once("connect", () => end(undefined));
      socket.once("error", error => end(new Error(dialText(error, host, port))));
    }),
    grpc: async (host, port, service, timeoutMs) => {
      const client = new GrpcClient({ host, port }, { "user-agent": "kube-probe/1.36" });
      try {
        const { status = 0 } = await client.call(healthCheck, { service }, { timeoutMs });
        return healthStatus[status] ?? "UNKNOWN";
      } catch (error) {
        if (!(error instanceof GrpcError)) throw error;
        if (error.code === grpcCode.unimplemented) throw new Error(`error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.message}`, { cause: error });
        if (error.code === grpcCode.notFound) return "SERVICE_UNKNOWN";
        const why = error.code === grpcCode.deadlineExceeded ? "context deadline exceeded" : error.message;
        throw new Error(`timeout: failed to connect service "${joined(host, port)}" within ${timeoutMs / 1000}s: ${why}`, { cause: error });
      } finally {
        client.close();
      }
    },
  };
}

function once(probe: HttpProbe): Promise<{ readonly status: number; readonly body: string; readonly location: string | undefined }> {
  const { scheme, host, port, path, headers, timeoutMs } = probe;
  return new Promise((resolve, reject) => {
    const fail = (text: string): void => reject(new Error(`Get "${urlOf(probe)}": ${text}`));
    const send = scheme === "https" ? httpsRequest : httpRequest;
    const hostHeader = headers.find(([name]) => name.toLowerCase() === "host")?.[1];
    // Quirk: probes do not verify certificates (pkg/probe/http/http.go): the pod's address is what is trusted.
    const outgoing = send({
      host, port, path, agent: false, rejectUnauthorized: false, timeout: timeoutMs,
      headers: [...headers.filter(([name]) => name.toLowerCase() !== "host"), ["Host", hostHeader ?? joined(host, port)]].flat() as string[],
    }, answer => {
      readBody(answer).then(body => {
        clearTimeout(timer);
        resolve({ status: answer.statusCode ?? 0, body, location: answer.headers.location });
      }, (error: Error) => fail(error.message));
    });
    const timer = setTimeout(() => {
      fail("context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
      outgoing.destroy();
    }, timeoutMs);
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      fail(error.code === "ECONNRESET" ? "EOF" : dialText(error, host, port));
    });
    outgoing.end();
  });
}

async function readBody(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= bodyBytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, bodyBytesMax).toString("utf8");
}

function dialText(error: NodeJS.ErrnoException, host: string, port: number): string {
  const reasons: { readonly [code: string]: string } = { ECONNREFUSED: "connect: connection refused", EHOSTUNREACH: "connect: no route to host", ENETUNREACH: "connect: network is unreachable", ETIMEDOUT: "i/o timeout" };
  const reason = reasons[error.code ?? ""];
  return reason === undefined ? error.message : `dial tcp ${joined(host, port)}: ${reason}`;
}
function joined(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
function urlOf({ scheme, host, port, path }: HttpProbe): string {
  return `${scheme}://${joined(host, port)}${path}`;
}
