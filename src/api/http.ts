/** The HTTP that the core speaks: what `host/` reads off a connection and what it must carry out. No sockets here. */
import type { Json } from "../base/json.ts";

/** Lower-case names. HTTP/2 pseudo-headers are not in it. Null prototype. */
export type Headers = { readonly [name: string]: string | readonly string[] | undefined };

/**
 * How long something may take: the signal is made when somebody asks for it, and few do. A class's getter, never an object literal's: a literal with a
 * getter gets a hidden class of its own each time, which keeps all that the getter sees until the next full collection.
 */
export type Limit = { readonly signal: AbortSignal };

export type HttpRequest = {
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly target: string;
  readonly headers: Headers;
  /** The whole body, decompressed. Throws `ApiError` RequestEntityTooLarge past `limits.bodyBytes`, and an `Error` when the client went away. */
  readonly body: () => Promise<Uint8Array>;
  readonly peer: Peer;
  /** HTTP/1.1 with an `Upgrade` header: only such a request can become a tunnel. */
  readonly upgrade: boolean;
  /** Aborts when the client is gone or the server stops. */
  readonly signal: AbortSignal;
};

/** Who is at the other end, as far as TLS knows. */
export type Peer = {
  readonly address: string;
  /** Verified against the client CA or the front-proxy CA; which one decides what it may claim. */
  readonly certificate?: { readonly ca: "client" | "front-proxy"; readonly commonName: string; readonly organizations: readonly string[]; readonly uid?: string; readonly fingerprint: string; readonly notAfterMs: number };
  /** A certificate was shown but does not verify: why. Upstream answers 401 unless another credential is good. */
  readonly badCertificate?: string;
};

/** Adds up what it is told. */
export type Tally = { add(value: number): void };

export type HttpResponse = {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | readonly string[] };
  /** Wants to know how long the body was as it went out, once it has. */
  readonly sent?: Tally | undefined;
  readonly content:
    | { readonly type: "text"; readonly text: string }
    | { readonly type: "bytes"; readonly bytes: Uint8Array }
    /** Pieces written one after another: the host joins them, and yields in between unless they are an array. */
    | { readonly type: "pieces"; readonly pieces: Iterable<string> }
    /** A long answer, such as a watch: resolves when it is over. Headers go out at once. */
    | { readonly type: "stream"; readonly run: (out: Sink, signal: AbortSignal) => Promise<void> }
    /** The host forwards this very request (body and upgrade included) and relays the answer. Status and headers above are then the backend's. */
    | { readonly type: "forward"; readonly to: ForwardTarget; /** Called when all is over. */ readonly done?: () => void };
};

/** Where a `stream` writes. Never blocks: the writer looks at `buffered` and gives up on a reader that is too slow. */
export interface Sink {
  write(chunk: string | Uint8Array): void;
  /** Forgets what was written and of which nothing has gone out yet: nobody waits for it any more. */
  drop(): void;
  /** Bytes accepted but not yet taken by the connection. */
  readonly buffered: number;
}

/**
 * Another server that answers in our stead: a node agent, a pod, a service's endpoint, an aggregated API server. Resolved once: the host connects to exactly
 * this address. Redirects are never followed, the caller's credentials never sent on; an upgrade is joined only after a 101.
 */
export type ForwardTarget = {
  readonly address: string;
  readonly port: number;
  readonly scheme: "http" | "https";
  /** Path and query to send. */
  readonly target: string;
  readonly method?: string;
  /**
   * `node`: mutual TLS with our CA and this node name; `none`: no verification (pods and services, as upstream); `aggregated`: another API
   * server, which knows us by the front-proxy certificate. `ca` is PEM, absent: the system's authorities. Its address alone may be a name.
   */
  readonly trust: { readonly type: "node"; readonly serverName: string } | { readonly type: "none" } | { readonly type: "aggregated"; readonly serverName: string; readonly ca?: string; readonly insecure: boolean };
  /** Headers added to the request; `authorization`, `cookie` for the API, impersonation and X-Remote-* are always removed. */
  readonly headers?: { readonly [name: string]: string | readonly string[] };
  /** Without an answer's head by then, it is given up. */
  readonly answerMs?: number;
  /** For proxying to pods and services: rewrite `Location` and add X-Forwarded-* with this prefix. */
  readonly proxyPrefix?: string;
};

export function json(status: number, body: Json, headers: { readonly [name: string]: string | readonly string[] } = {}): HttpResponse {
  return { status, headers: { "content-type": "application/json", ...headers }, content: { type: "text", text: JSON.stringify(body) } };
}
