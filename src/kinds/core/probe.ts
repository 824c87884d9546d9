import * as t from "../../schema/t.ts";

export const ExecAction = t.object("io.k8s.api.core.v1.ExecAction", {
  command: t.list(t.string()).pb(1).doc("Program and arguments, run in the container without a shell."),
});
export interface ExecAction extends t.Stored<typeof ExecAction> {}

export const HTTPHeader = t.object("io.k8s.api.core.v1.HTTPHeader", {
  name: t.string().pb(1).required().always("zero").doc("Name of the header."),
  value: t.string().pb(2).required().always("zero").doc("Its value."),
});
export interface HTTPHeader extends t.Stored<typeof HTTPHeader> {}

export const HTTPGetAction = t.object("io.k8s.api.core.v1.HTTPGetAction", {
  host: t.string().pb(3).doc("Address to ask; the pod's own if empty."),
  httpHeaders: t.list(HTTPHeader).pb(5).doc("Headers to send."),
  path: t.string().pb(1).default("/").doc("Path to ask for."),
  port: t.intOrString().pb(2).required().always("zero").doc("Number or name of the port."),
  scheme: t.oneOf("HTTP", "HTTPS").pb(4).default("HTTP").doc("HTTP or HTTPS; certificates are not checked."),
});
export interface HTTPGetAction extends t.Stored<typeof HTTPGetAction> {}

export const SleepAction = t.object("io.k8s.api.core.v1.SleepAction", {
  seconds: t.int64().pb(1).required().always("zero").doc("How long to sleep."),
});
export interface SleepAction extends t.Stored<typeof SleepAction> {}

export const TCPSocketAction = t.object("io.k8s.api.core.v1.TCPSocketAction", {
  host: t.string().pb(2).doc("Address to connect to; the pod's own if empty."),
  port: t.intOrString().pb(1).required().always("zero").doc("Number or name of the port."),
});
export interface TCPSocketAction extends t.Stored<typeof TCPSocketAction> {}

export const LifecycleHandler = t.object("io.k8s.api.core.v1.LifecycleHandler", {
  exec: ExecAction.pb(1).doc("Run a program in the container."),
  httpGet: HTTPGetAction.pb(2).doc("Send an HTTP request."),
  sleep: SleepAction.pb(4).doc("Wait for some seconds."),
  tcpSocket: TCPSocketAction.pb(3).doc("Not supported."),
});
export interface LifecycleHandler extends t.Stored<typeof LifecycleHandler> {}

export const Lifecycle = t.object("io.k8s.api.core.v1.Lifecycle", {
  postStart: LifecycleHandler.pb(1).doc("Run right after the container's start; it is killed if this fails."),
  preStop: LifecycleHandler.pb(2).doc("Run before the container is asked to end, within its grace period."),
  stopSignal: t.oneOf("SIGABRT", "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP", "SIGILL", "SIGINT", "SIGIO", "SIGIOT", "SIGKILL", "SIGPIPE", "SIGPOLL", "SIGPROF", "SIGPWR", "SIGQUIT", "SIGRTMAX", "SIGRTMAX-1", "SIGRTMAX-10", "SIGRTMAX-11", "SIGRTMAX-12", "SIGRTMAX-13", "SIGRTMAX-14", "SIGRTMAX-2", "SIGRTMAX-3", "SIGRTMAX-4", "SIGRTMAX-5", "SIGRTMAX-6", "SIGRTMAX-7", "SIGRTMAX-8", "SIGRTMAX-9", "SIGRTMIN", "SIGRTMIN+1", "SIGRTMIN+10", "SIGRTMIN+11", "SIGRTMIN+12", "SIGRTMIN+13", "SIGRTMIN+14", "SIGRTMIN+15", "SIGRTMIN+2", "SIGRTMIN+3", "SIGRTMIN+4", "SIGRTMIN+5", "SIGRTMIN+6", "SIGRTMIN+7", "SIGRTMIN+8", "SIGRTMIN+9", "SIGSEGV", "SIGSTKFLT", "SIGSTOP", "SIGSYS", "SIGTERM", "SIGTRAP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGWINCH", "SIGXCPU", "SIGXFSZ").pb(3).pointer().doc("Signal that asks the container to end."),
});
export interface Lifecycle extends t.Stored<typeof Lifecycle> {}

export const GRPCAction = t.object("io.k8s.api.core.v1.GRPCAction", {
  port: t.int32().pb(1).required().always("zero").doc("Number of the port."),
  service: t.string().pb(2).pointer().always("null").default("", "published").doc("Name of the service to ask the health of."),
});
export interface GRPCAction extends t.Stored<typeof GRPCAction> {}

export const Probe = t.object("io.k8s.api.core.v1.Probe", {
  exec: ExecAction.pb(1).within(1).doc("Run a program; its exit status 0 is success."),
  failureThreshold: t.int32().pb(6).default(3).doc("How many failures in a row count as failed."),
  grpc: GRPCAction.pb(4).within(1).doc("Ask the standard gRPC health service."),
  httpGet: HTTPGetAction.pb(2).within(1).doc("Send an HTTP request; answers from 200 to 399 are success."),
  initialDelaySeconds: t.int32().pb(2).doc("How long to wait after the container's start."),
  periodSeconds: t.int32().pb(4).default(10).doc("How often to ask."),
  successThreshold: t.int32().pb(5).default(1).doc("How many successes in a row count as recovered."),
  tcpSocket: TCPSocketAction.pb(3).within(1).doc("Open a connection; it succeeds when someone listens."),
  terminationGracePeriodSeconds: t.int64().pb(7).pointer().doc("Grace period when this probe ends the container, instead of the pod's."),
  timeoutSeconds: t.int32().pb(3).default(1).doc("How long to wait for the answer."),
});
export interface Probe extends t.Stored<typeof Probe> {}
