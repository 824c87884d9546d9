/** Runs one probe or lifecycle hook, with upstream's verdicts and texts (pkg/probe, pkg/kubelet/lifecycle). */
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/log.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { LifecycleHandler, Probe } from "../kinds/core/probe.ts";
import type { AnyContainer } from "./containers.ts";
import type { Connector, HttpProbe } from "./host.ts";
import { RuntimeError, type ContainerRuntime } from "./runtime.ts";

/** `unknown`: the probe itself could not be carried out, which says nothing about the container. */
export type ProbeResult = { readonly result: "success" | "warning" | "failure" | "unknown"; readonly output: string };
export type Target = { readonly pod: Pod; readonly container: AnyContainer; readonly containerId: string; readonly podIP: string };
export type HandlerTools = { readonly runtime: ContainerRuntime; readonly connector: Connector; readonly clock: Clock };

/** What of a probe's output is shown in an event (pkg/kubelet/prober: maxProbeMessageLength is of the exec probe, 10 KiB). */
const outputMax = 10 * 1024;
const text = new TextDecoder();
const userAgent = "kube-probe/1.36";

export async function runProbe(probe: Probe, target: Target, tools: HandlerTools): Promise<ProbeResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  const host = (given: string | undefined): string => given || target.podIP;
  try {
    if (probe.exec) return await execProbe(probe.exec.command ?? [], timeoutMs / 1000, target, tools);
    if (probe.httpGet) return await httpProbe(httpRequest(probe.httpGet, target, timeoutMs), tools.connector);
    if (probe.tcpSocket) {
      const port = portOf(probe.tcpSocket.port, target.container);
      return await attempt(tools.connector.tcp(host(probe.tcpSocket.host), port, timeoutMs), () => "");
    }
    if (probe.grpc) {
      const { port, service = "" } = probe.grpc;
      const status = await attempt(tools.connector.grpc(target.podIP, port, service, timeoutMs), answer => answer);
      return status.result === "failure" || status.output === "SERVING" ? { ...status, ...(status.output === "SERVING" && { output: "service healthy" }) } : { result: "failure", output: `service unhealthy (responded with "${status.output}")` };
    }
  } catch (error) {
    return { result: "unknown", output: messageOf(error) };
  }
  return { result: "unknown", output: `missing probe handler for ${target.pod.metadata.namespace}/${target.pod.metadata.name}:${target.container.name}` };
}

async function execProbe(command: readonly string[], timeoutSeconds: number, target: Target, { runtime }: HandlerTools): Promise<ProbeResult> {
  try {
    const { stdout, stderr, exitCode } = await runtime.execSync(target.containerId, command, timeoutSeconds);
    const output = (text.decode(stdout) + text.decode(stderr)).slice(0, outputMax);
    return { result: exitCode === 0 ? "success" : "failure", output };
  } catch (error) {
    if (error instanceof RuntimeError && error.kind === "deadline") return { result: "failure", output: `command timed out: "${command.join(" ")}" timed out after ${timeoutSeconds}s` };
    // A command that is not there is the container's fault, a runtime that does not answer is not.
    if (error instanceof RuntimeError && error.kind === "failed" && /executable file not found|no such file|permission denied|OCI runtime exec failed|failed to exec/.test(error.message)) return { result: "failure", output: error.message };
    throw error;
  }
}

async function httpProbe(request: HttpProbe, connector: Connector): Promise<ProbeResult> {
  const answer = await attempt(connector.http(request), ({ status, body, redirectedElsewhere }) => ({ status, body, redirectedElsewhere }));
  if (typeof answer.output === "string") return { result: "failure", output: answer.output };
  const { status, body, redirectedElsewhere } = answer.output;
  if (redirectedElsewhere) return { result: "warning", output: `Probe terminated redirects, Response body: ${body}` };
  if (status >= 200 && status < 400) return { result: "success", output: body };
  return { result: "failure", output: `HTTP probe failed with statuscode: ${status}` };
}

async function attempt<T, O>(work: Promise<T>, output: (answer: T) => O): Promise<{ readonly result: "success"; readonly output: O } | { readonly result: "failure"; readonly output: string }> {
  try {
    return { result: "success", output: output(await work) };
  } catch (error) {
    return { result: "failure", output: messageOf(error) };
  }
}

type HttpGet = NonNullable<Probe["httpGet"]>;
export function httpRequest(get: HttpGet, { container, podIP }: Target, timeoutMs: number): HttpProbe {
  const given = (get.httpHeaders ?? []).map(({ name, value }) => [name, value] as const);
  const has = (name: string): boolean => given.some(([each]) => each.toLowerCase() === name);
  return {
    scheme: get.scheme === "HTTPS" ? "https" : "http", host: get.host || podIP, port: portOf(get.port, container), path: get.path?.startsWith("/") ? get.path : `/${get.path ?? ""}`, timeoutMs,
    headers: [...(has("user-agent") ? [] : [["User-Agent", userAgent] as const]), ...(has("accept") ? [] : [["Accept", "*/*"] as const]), ["Connection", "close"], ...given.filter(([, value]) => value !== "")],
  };
}

/** A port by number or by the name that the container gives it. */
export function portOf(port: number | string, container: AnyContainer): number {
  const found = typeof port === "number" ? port : container.ports?.find(({ name }) => name === port)?.containerPort ?? Number(port);
  if (!Number.isInteger(found) || found < 1 || found > 65_535) throw new Error(`couldn't find port: "${port}"`);
  return found;
}

/** Runs a hook to its end; throws with what went wrong. */
export async function runHook(handler: LifecycleHandler, target: Target, tools: HandlerTools, signal: AbortSignal): Promise<void> {
  if (handler.exec) {
    const { exitCode, stdout, stderr } = await tools.runtime.execSync(target.containerId, handler.exec.command ?? [], 0);
    if (exitCode !== 0) throw new Error(`command '${(handler.exec.command ?? []).join(" ")}' exited with ${exitCode}: ${text.decode(stderr)}, message: ${JSON.stringify(text.decode(stdout) + text.decode(stderr))}`);
  } else if (handler.httpGet) {
    const { status } = await tools.connector.http(httpRequest(handler.httpGet, target, 60_000));
    if (status >= 400) throw new Error(`HTTP lifecycle hook answered ${status}`);
  } else if (handler.sleep) await tools.clock.sleep(handler.sleep.seconds * 1000, signal);
  else if (handler.tcpSocket) await tools.connector.tcp(handler.tcpSocket.host || target.podIP, portOf(handler.tcpSocket.port, target.container), 60_000);
  else throw new Error("invalid handler: no action");
}
