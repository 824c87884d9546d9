import * as t from "../../schema/t.ts";

export const ExecAction = t.object("io.k8s.api.core.v1.ExecAction", {
  command: t.list(t.string()).pb(1),
});
export interface ExecAction extends t.Stored<typeof ExecAction> {}

export const HTTPHeader = t.object("io.k8s.api.core.v1.HTTPHeader", {
  name: t.string().pb(1).required().always("zero"),
  value: t.string().pb(2).required().always("zero"),
});
export interface HTTPHeader extends t.Stored<typeof HTTPHeader> {}

export const HTTPGetAction = t.object("io.k8s.api.core.v1.HTTPGetAction", {
  host: t.string().pb(3),
  httpHeaders: t.list(HTTPHeader).pb(5),
  path: t.string().pb(1).default("/"),
  port: t.intOrString().pb(2).required().always("zero"),
  scheme: t.oneOf("HTTP", "HTTPS").pb(4).default("HTTP"),
});
export interface HTTPGetAction extends t.Stored<typeof HTTPGetAction> {}

export const SleepAction = t.object("io.k8s.api.core.v1.SleepAction", {
  seconds: t.int64().pb(1).required().always("zero"),
});
export interface SleepAction extends t.Stored<typeof SleepAction> {}

export const TCPSocketAction = t.object("io.k8s.api.core.v1.TCPSocketAction", {
  host: t.string().pb(2),
  port: t.intOrString().pb(1).required().always("zero"),
});
export interface TCPSocketAction extends t.Stored<typeof TCPSocketAction> {}

export const LifecycleHandler = t.object("io.k8s.api.core.v1.LifecycleHandler", {
  exec: ExecAction.pb(1),
  httpGet: HTTPGetAction.pb(2),
  sleep: SleepAction.pb(4),
  tcpSocket: TCPSocketAction.pb(3),
});
export interface LifecycleHandler extends t.Stored<typeof LifecycleHandler> {}

export const Lifecycle = t.object("io.k8s.api.core.v1.Lifecycle", {
  postStart: LifecycleHandler.pb(1),
  preStop: LifecycleHandler.pb(2),
  stopSignal: t.oneOf("SIGABRT", "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP", "SIGILL", "SIGINT", "SIGIO", "SIGIOT", "SIGKILL", "SIGPIPE", "SIGPOLL", "SIGPROF", "SIGPWR", "SIGQUIT", "SIGRTMAX", "SIGRTMAX-1", "SIGRTMAX-10", "SIGRTMAX-11", "SIGRTMAX-12", "SIGRTMAX-13", "SIGRTMAX-14", "SIGRTMAX-2", "SIGRTMAX-3", "SIGRTMAX-4", "SIGRTMAX-5", "SIGRTMAX-6", "SIGRTMAX-7", "SIGRTMAX-8", "SIGRTMAX-9", "SIGRTMIN", "SIGRTMIN+1", "SIGRTMIN+10", "SIGRTMIN+11", "SIGRTMIN+12", "SIGRTMIN+13", "SIGRTMIN+14", "SIGRTMIN+15", "SIGRTMIN+2", "SIGRTMIN+3", "SIGRTMIN+4", "SIGRTMIN+5", "SIGRTMIN+6", "SIGRTMIN+7", "SIGRTMIN+8", "SIGRTMIN+9", "SIGSEGV", "SIGSTKFLT", "SIGSTOP", "SIGSYS", "SIGTERM", "SIGTRAP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGWINCH", "SIGXCPU", "SIGXFSZ").pb(3).pointer(),
});
export interface Lifecycle extends t.Stored<typeof Lifecycle> {}

export const GRPCAction = t.object("io.k8s.api.core.v1.GRPCAction", {
  port: t.int32().pb(1).required().always("zero"),
  service: t.string().pb(2).pointer().default("", "published"),
});
export interface GRPCAction extends t.Stored<typeof GRPCAction> {}

export const Probe = t.object("io.k8s.api.core.v1.Probe", {
  exec: ExecAction.pb(1).within(1),
  failureThreshold: t.int32().pb(6).default(3),
  grpc: GRPCAction.pb(4).within(1),
  httpGet: HTTPGetAction.pb(2).within(1),
  initialDelaySeconds: t.int32().pb(2),
  periodSeconds: t.int32().pb(4).default(10),
  successThreshold: t.int32().pb(5).default(1),
  tcpSocket: TCPSocketAction.pb(3).within(1),
  terminationGracePeriodSeconds: t.int64().pb(7).pointer(),
  timeoutSeconds: t.int32().pb(3).default(1),
});
export interface Probe extends t.Stored<typeof Probe> {}
