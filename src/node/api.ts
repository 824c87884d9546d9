/**
 * What a node answers when the API server asks: the contract between the agent and its HTTPS server. The server owns
 * every wire protocol (WebSocket, SPDY, chunked bodies); the agent knows only pods, bytes and exit codes.
 */
import type { Json } from "../base/json.ts";
import type { Pod } from "../kinds/core/pod.ts";

/** Bytes that arrive: iteration ends at end-of-file. Leaving the loop early means that nobody wants the rest. */
export type ByteSource = AsyncIterable<Uint8Array>;
/** Where bytes go. `write` resolves when the far end has room for more: await it, or memory grows. */
export interface ByteSink {
  write(chunk: Uint8Array): Promise<void>;
}
export type TerminalSize = { readonly width: number; readonly height: number };

/** The streams of one process. Absent ones were not asked for. */
export type ProcessStreams = {
  readonly stdin?: ByteSource;
  readonly stdout?: ByteSink;
  /** Never present together with `tty`. */
  readonly stderr?: ByteSink;
  readonly resize?: AsyncIterable<TerminalSize>;
};

/** Names a container as kubelet's URLs do; the first container of the pod when `container` is empty. */
export type ContainerAddress = { readonly namespace: string; readonly pod: string; readonly uid?: string; readonly container?: string };

export type ExecRequest = ContainerAddress & { readonly command: readonly string[]; readonly tty: boolean };
export type AttachRequest = ContainerAddress & { readonly tty: boolean };

/** `kubectl logs` as the node sees it. */
export type LogRequest = ContainerAddress & {
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
  readonly tailLines?: number;
  readonly limitBytes?: number;
  readonly sinceSeconds?: number;
  /** RFC 3339. */
  readonly sinceTime?: string;
  /** Default: both. */
  readonly stream?: "All" | "Stdout" | "Stderr";
};

/** Every method throws `ApiError` for what the caller must see (NotFound, BadRequest) before it touches a stream. */
export interface NodeApi {
  /** The pods bound to this node, with the status this agent has computed last (kubelet's /pods). */
  pods(): readonly Pod[];
  /** Checks that the log exists, then writes it; resolves at the end, or when `signal` aborts (follow). */
  logs(request: LogRequest): Promise<(out: ByteSink, signal: AbortSignal) => Promise<void>>;
  /** Checks that the container runs (the answer before the upgrade), then runs the command until it ends; the process is killed when `signal` aborts. */
  exec(request: ExecRequest): Promise<(streams: ProcessStreams, signal: AbortSignal) => Promise<{ readonly exitCode: number }>>;
  /** Checks likewise, then joins the streams of a container's main process until it ends or `signal` aborts. */
  attach(request: AttachRequest): Promise<(streams: ProcessStreams, signal: AbortSignal) => Promise<void>>;
  /** One TCP connection to `port` on the pod's loopback; resolves when both directions are closed, throws if refused. */
  portForward(request: { readonly namespace: string; readonly pod: string; readonly uid?: string }, port: number, local: Duplex, signal: AbortSignal): Promise<void>;
  /** kubelet's /stats/summary; `brief` is processor and memory alone. */
  statsSummary(brief: boolean): Promise<Json>;
  /** kubelet's /metrics/cadvisor. */
  cadvisorMetrics(): string;
  /** kubelet's /metrics; NotFound where nobody counts. */
  metrics(): Promise<string>;
  /** kubelet's /metrics/probes, likewise. */
  probeMetrics(): string;
  /** kubelet's /runningpods/: what the runtime runs, whoever wanted it. */
  runningPods(): Promise<readonly RunningPod[]>;
  /** kubelet's /configz: a KubeletConfiguration of v1beta1. */
  configuration(): Json;
  /** kubelet's /healthz: throws when the agent cannot do its work. */
  healthz(): Promise<void>;
}

/** As much of a Pod as the runtime knows. */
export type RunningPod = { readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string }; readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string; readonly resources: Json }[] }; readonly status: Json };

/** Both ends of a connection: `input` comes from the client, `output` goes to it. */
export type Duplex = { readonly input: ByteSource; readonly output: ByteSink; /** Half-close towards the client. */ readonly end: () => void };
