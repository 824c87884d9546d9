/** The server process: store, API, controllers, scheduler; started in this order and stopped in reverse. */
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { setImmediate } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { certificateAdmission } from "../api/admission/certificates.ts";
import { denyServiceExternalIPs } from "../api/admission/external-ips.ts";
import { nodeRestriction } from "../api/admission/node-restriction.ts";
import { resourceClaimAccess } from "../api/admission/resource-claim.ts";
import { resourceQuota } from "../api/admission/resource-quota.ts";
import { serviceAccountAdmission } from "../api/admission/service-account.ts";
import { createAuthenticator } from "../api/authn/authenticator.ts";
import { isBootstrapToken, reviewBootstrapToken } from "../api/authn/bootstrap-token.ts";
import { noteTokenUse } from "../api/authn/legacy-token.ts";
import { issuer, serviceAccountUser, ServiceAccountTokens } from "../api/authn/service-account-token.ts";
import { forOwnAudiences, tokenChain } from "../api/authn/token-chain.ts";
import { createTokenIssuer } from "../api/authn/token-issuer.ts";
import { authorizerChain, privileged } from "../api/authz/authorizer.ts";
import { escalationCheck } from "../api/authz/escalation.ts";
import { NodeAuthorizer } from "../api/authz/node.ts";
import { Rbac } from "../api/authz/rbac.ts";
import type { HttpRequest } from "../api/http.ts";
import { apiServerUser, bootstrapSystem, keepSystem, type SystemFacts } from "../api/bootstrap/system.ts";
import type { Authorizer, Notes, TokenVerdict, User } from "../api/context.ts";
import type { Cel } from "../api/cel.ts";
import { ApiServer, attributesOf, type Auditor } from "../api/server.ts";
import { keepIdentity, type ServerIdentity } from "../api/identity-lease.ts";
import { StartSteps } from "../api/start-steps.ts";
import { agentOf } from "../api/subresources/proxy.ts";
import { must } from "../base/assert.ts";
import { decodeBase64 } from "../base/base64.ts";
import type { Json } from "../base/json.ts";
import { addBuildInfo } from "../base/build-info.ts";
import { messageOf, type Log } from "../base/log.ts";
import { supervise } from "../base/supervise.ts";
import type { Cluster } from "../cli/machine.ts";
import type { Client } from "../client/client.ts";
import { Informers } from "../client/informers.ts";
import { runControllers } from "../controllers/index.ts";
import { heldPorts } from "../controllers/load-balancer-plan.ts";
import { AuditFile } from "../host/audit-file.ts";
import { systemClock } from "../host/clock.ts";
import { createFetchRemote } from "../host/remote-client.ts";
import { doNotRestart, startAgain } from "../host/daemon.ts";
import { createForwardCall, createForwardLines, type ForwardCall } from "../host/forward-call.ts";
import { createForward } from "../host/http-forward.ts";
import { startHttpsServer, type ServerCredentials } from "../host/https-server.ts";
import { detachedSignature, openSigningKeys } from "../host/jwt.ts";
import { HeldPorts } from "../host/held-ports.ts";
import { lineLog } from "../host/log.ts";
import { standardOutput } from "../host/log-output.ts";
import { compilePattern } from "../host/regex.ts";
import { createPostJson } from "../host/webhook-client.ts";
import { openPki, type Pki } from "../host/pki.ts";
import { parseCertificateRequest } from "../host/pki-csr.ts";
import { privateKeyPem } from "../host/pki-identity.ts";
import { addProcessFigures, addStartTime, addStoreSize } from "../host/process-figures.ts";
import { systemRandom } from "../host/random.ts";
import { settleMemory } from "../host/settle.ts";
import { sqliteEngine } from "../host/sqlite.ts";
import { StoreFileError } from "../host/sqlite-log.ts";
import type { Service } from "../kinds/core/service.ts";
import { kinds } from "../kinds/index.ts";
import { Scheduler } from "../scheduler/scheduler.ts";
import { RevisionedStore } from "../store/revisioned-store.ts";
import { flagsOf } from "./api-flags.ts";
import { loadApiConfig, type ApiConfig } from "./api-config.ts";
import { certificateSigner } from "./certificate-signer.ts";
import { renewKubeconfig } from "./kubeconfig.ts";
import { runIngressController } from "./ingress-controller.ts";
import { kindsOf } from "./kind-source.ts";
import { localClient } from "./local-client.ts";
import { apiAddresses, apiServerNames, followMembers } from "./api-members.ts";
import { clusterDNS, loadBalancerAddresses, nodePlaces, serviceAddress, serviceNetworks } from "./node-settings.ts";
import { moved, presentCluster } from "./present-cluster.ts";
import { reclaimVolumes } from "./volume-reclaim.ts";
import { startReport, type StartReport } from "./status-file.ts";
import { build, version } from "./version.ts";

const graceMs = 3_000;
const stopMsMax = 8_000;
const frontProxyNames = ["front-proxy-client"];

export type ServeOptions = {
  /** In the foreground a person watches: log warnings only. */
  readonly foreground?: boolean;
  /** Called once everything runs. */
  readonly onReady?: () => Promise<void>;
};

/** Runs until SIGTERM or SIGINT; gives the exit code. */
export async function runServer(dataFolder: string, options: ServeOptions): Promise<number> {
  const cluster = await presentCluster(dataFolder);
  const report = startReport("server", cluster.runFolder);
  const log = lineLog(standardOutput(), options.foreground ? "warn" : "info");
  const stop = new AbortController();
  const ended = new Promise<void>(resolve => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => { stop.abort(); resolve(); });
  });
  // What is broken inside must not go on: the keeper starts a fresh process, which lists again.
  const fatal = (error: unknown): never => {
    log.error("ending: an invariant is broken or the store has failed", { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined });
    process.exit(1);
  };
  process.on("uncaughtException", fatal);
  process.on("unhandledRejection", fatal);

  let running: Running;
  try {
    running = await start(cluster, log, report, stop.signal, fatal);
    await options.onReady?.();
    report.ready();
    settleMemory(log, stop.signal);
    log.info("ready", { version: version.kubernetes, port: cluster.port, startMs: Math.round(performance.now()) });
  } catch (error) {
    report.failed(messageOf(error));
    log.error("could not start", { error: messageOf(error) });
    return error instanceof StoreFileError ? doNotRestart : 1;
  }
  const anew = await Promise.race([ended.then(() => false), moved(cluster, { clock: systemClock(), log }, stop.signal)]);
  stop.abort();
  log.info("stopping");
  const late = await Promise.race([running.stop().then(() => false), sleep(stopMsMax, true)]);
  if (late) log.error("a component did not stop in time; what was acknowledged is on disk", { stopMsMax });
  return anew ? startAgain : 0;
}

type Running = { stop(): Promise<void> };

async function start(cluster: Cluster, log: Log, report: StartReport, signal: AbortSignal, fatal: (error: unknown) => never): Promise<Running> {
  const clock = systemClock();
  const random = systemRandom();
  const apiConfig = await loadApiConfig(cluster.apiConfig, clock, random, log);
  const [pki, keys] = await Promise.all([
    openPki({ dir: `${cluster.dataFolder}/pki`, clock, log: log.child("pki"), names: apiServerNames(cluster) }),
    openSigningKeys(`${cluster.dataFolder}/pki/service-accounts.pem`),
  ]);
  if (cluster.runtime === "containerd") for (const { name, addresses } of nodePlaces(cluster)) await pki.ensureNode(name, addresses);
  report.step("certificates");

  const storeFile = `${cluster.dataFolder}/store/timonier.db`;
  const engine = sqliteEngine(storeFile, { log: log.child("store") });
  const store = await RevisionedStore.open(engine, { clock, log: log.child("store"), onFailure: fatal, defer: setImmediate });
  report.step("store");

  // YAML bodies are rare: their parser loads with the first one.
  /** CEL is rare at the start of a cluster's life, and big: it loads with the first expression. */
async function loadCel(): Promise<Cel> {
  const [{ celWith }, { celHost }] = await Promise.all([import("../api/cel-library.ts"), import("../host/regex.ts")]);
  return (cel ??= celWith(celHost));
}
let cel: Cel | undefined;

let yaml: typeof import("../host/yaml.ts") | undefined;
  const loadYaml = async (): Promise<void> => { yaml ??= await import("../host/yaml.ts"); };

  const rbac = new Rbac();
  rbac.follow(store);
  const tokens = createTokenIssuer({ address: `${cluster.advertise ?? cluster.listen[0]}:${cluster.port}`, keys: () => keys, now: () => clock.now(), random, audiences: [issuer] });
  const audit = new AuditFile({ path: `${cluster.dataFolder}/logs/audit.log`, log: log.child("audit"), now: () => clock.now() });
  const forwarding = { frontProxy: () => pemOf(pki, "front-proxy-client"), node: () => ({ ca: pki.authority("serving"), ...pemOf(pki, "apiserver-kubelet-client") }) };
  const forward = createForwardCall(forwarding);
  let nodes: Awaited<ReturnType<typeof import("./simulated-nodes.ts").startSimulatedNodes>> | undefined;
  // Admission comes before the server that has the authorizers is made.
  const everybody: Authorizer = { authorize: (user, attributes) => api.core.authorizer.authorize(user, attributes), rules: (user, namespace) => api.core.authorizer.rules(user, namespace) };
  const readRequest = (bytes: Uint8Array) => parseCertificateRequest(Buffer.from(bytes).toString("latin1"));
  const startSteps = new StartSteps();
  const api: ApiServer = new ApiServer({
    audit: line => audit.append(line), ...(apiConfig.auditPolicy === undefined ? {} : { auditor: await auditorOf(apiConfig, audit) }),
    store, kinds, clock, random, log: log.child("api"), tokens, fatal, startSteps,
    authenticator: read => {
      const accounts = new ServiceAccountTokens({ keys: () => keys, read, now: () => clock.now(), audiences: [issuer], used: secret => void noteTokenUse(api.core, secret, clock.now()) });
      const review = (token: string, audiences: readonly string[], notes?: Notes): TokenVerdict => (isBootstrapToken(token) ? forOwnAudiences(reviewBootstrapToken(token, read, clock.now()), audiences, [issuer]) : accounts.review(token, audiences, notes));
      return createAuthenticator({ review: tokenChain(review, apiConfig.tokens, [issuer], clock), frontProxyNames, ...(apiConfig.anonymous === undefined ? {} : { anonymous: apiConfig.anonymous }) });
    },
    authorizer: read => {
      const nodes = new NodeAuthorizer(read);
      nodes.follow(store);
      return authorizerChain(privileged, ...(apiConfig.authorization ?? ["Node", "RBAC"]).map(each => (each === "Node" ? nodes : each === "RBAC" ? rbac : each)));
    },
    admission: [serviceAccountAdmission({ clock, random }), nodeRestriction(everybody, request => readRequest(decodeBase64(request) ?? new Uint8Array()).commonName), ...certificateAdmission({ authorizer: everybody, decode: decodeBase64, read: readRequest }), escalationCheck(rbac, everybody), ...(cluster.externalIPs === true ? [] : [denyServiceExternalIPs]), resourceClaimAccess(everybody), resourceQuota()],
    compilePattern, postJson: createPostJson(), loadCel, defer: work => void setImmediate(work),
    fetchRemote: createFetchRemote(() => pemOf(pki, "front-proxy-client")),
    readNodeStats: (name, until) => (nodes === undefined ? nodeStats(api, forward, name, until) : nodes.stats(name)),
    parseYaml: text => must(yaml, "the YAML parser is loaded before a YAML body is read").parseYaml(text),
    sha512: text => createHash("sha512").update(text).digest(),
    build, flags: flagsOf(cluster, frontProxyNames, apiConfig.flags),
    address: `${cluster.listen[0]}:${cluster.port}`, serviceRange: serviceNetworks(cluster).join(","), nodePort: cluster.nodePort,
  });
  addProcessFigures(api.metrics);
  addStoreSize(api.metrics, storeFile, cluster.id);
  addBuildInfo(api.metrics, build);
  addStartTime(api.healthFigures.metrics);
  const https = await startHttpsServer({
    addresses: apiAddresses(cluster), port: cluster.port, credentials: credentialsOf(pki), clock, log: log.child("https"),
    handler: request => (sendsYaml(request) ? loadYaml().then(() => api.handle(request)) : api.handle(request)),
    forward: createForward({ ...forwarding, log: log.child("forward") }),
  });
  if (cluster.runtime === "containerd") followMembers(cluster, { pki, https, log: log.child("members") }, signal);
  pki.onRenewed("apiserver", () => https.setCredentials(credentialsOf(pki)));
  pki.onRenewed("admin", identity => {
    renewKubeconfig(cluster.dataFolder, identity).catch((error: unknown) => log.warn("the kubeconfig could not be given the renewed certificate; run timonier up", { error: messageOf(error) }));
  });
  void pki.run(signal);
  void supervise({ name: "API server sweeps", run: until => api.run(until) }, { clock, maxWaitMs: 5_000, log }, signal);
  report.step(`API server on https://${cluster.listen[0]}:${cluster.port}`);

  const facts: SystemFacts = {
    address: cluster.advertise, port: cluster.port, serviceAddress: serviceAddress(cluster.serviceCIDR, 1), dnsAddress: clusterDNS(cluster), volumesFolder: `${cluster.dataFolder}/volumes`,
    clientCa: pki.authority("client"), frontProxyCa: pki.authority("front-proxy"), frontProxyNames,
  };
  await bootstrapSystem(api.core, facts);
  startSteps.done("system");
  void supervise({ name: "system objects", run: until => keepSystem(api.core, facts, until) }, { clock, maxWaitMs: 5_000, log }, signal);
  void supervise({ name: "API server identity", run: until => keepIdentity(api.core, serverIdentity(hostname(), `${cluster.advertise ?? cluster.listen[0]}:${cluster.port}`), until) }, { clock, maxWaitMs: 5_000, log }, signal);
  report.step("system namespaces, roles and services");

  // Everybody in the process acts as itself, with the rights of its default role, as if it came over the network.
  const passOn = { whole: forward, lines: createForwardLines(forwarding) };
  const clientOf = (user: User, userAgent: string): Client => localClient(api, { user, userAgent, signal, passOn });
  const client = clientOf(componentUser("system:kube-controller-manager"), "kube-controller-manager");
  const informers = new Informers(client, { clock, log: log.child("informers") }, signal);
  const balancers = loadBalancerAddresses(cluster);
  const ports = new HeldPorts(log.child("load balancers"), { runFolder: cluster.runFolder, cluster: cluster.name });
  // Before the ingress proxy looks for ports, which it might start at once: the rules of these services are in force.
  if (cluster.runtime === "containerd") await ports.hold(heldPorts(api.core.reader.list("", "services", "") as readonly Service[], balancers.hosts));
  void runControllers({
    client, clientFor: account => clientOf(serviceAccountUser("kube-system", account), "kube-controller-manager"), clock, random, log: log.child("controllers"), informers, metrics: api.metrics,
    kinds: kindsOf(api),
    settings: { checkPolicy: async policy => (await loadCel()).typeWarnings(policy.spec, api.registry), rootCA: pki.authority("serving"), certificates: certificateSigner(pki), signWithToken: detachedSignature, secretToken: tokens.legacy, ...(cluster.runtime === "containerd" ? { loadBalancers: { ...balancers, listening: () => ports.listening(), hold: held => ports.hold(held) } } : {}) },
  }, signal).catch(fatal);
  const scheduler = clientOf(componentUser("system:kube-scheduler"), "kube-scheduler");
  void supervise(new Scheduler({ client: scheduler, informers, clock, random, log: log.child("scheduler") }), { clock, maxWaitMs: 5_000, log }, signal).catch(fatal);
  if (cluster.runtime === "containerd") void runIngressController(cluster, { client: clientOf(apiServerUser, "timonier-ingress"), informers, clock, random, log: log.child("ingress"), gateways: { isServed: kind => api.registry.of(kind) !== undefined, onServed: listener => api.registry.onChange(listener) } }, signal).catch(fatal);
  if (cluster.runtime === "containerd") reclaimVolumes(informers, `${cluster.dataFolder}/volumes`, log.child("volumes"));
  report.step("controllers and scheduler");

  nodes = cluster.runtime === "simulated" ? await (await import("./simulated-nodes.ts")).startSimulatedNodes(cluster, { client: clientOf(apiServerUser, "kubelet"), informers, clock, random, log: log.child("nodes"), pki }, signal) : undefined;
  if (nodes) report.step(`${cluster.nodes} simulated node${cluster.nodes === 1 ? "" : "s"}`);

  return {
    stop: async () => {
      await nodes?.close();
      await https.close(graceMs);
      await store.close();
      await apiConfig.auditWebhook?.close();
      await audit.close();
    },
  };
}

/** Loaded only where there is a policy. */
async function auditorOf({ auditPolicy: policy, auditWebhook }: ApiConfig, file: AuditFile): Promise<(api: ApiServer) => Auditor> {
  const { AuditRecorder } = await import("../api/audit/recorder.ts");
  let recorder: Auditor | undefined;
  const sink = (line: string): void => {
    file.append(line);
    auditWebhook?.append(line);
  };
  return api => (recorder ??= new AuditRecorder({ policy: must(policy, "there is a policy"), sink, registry: api.registry, parseYaml: api.services.parseYaml, now: () => api.core.clock.now(), attributesOf }));
}

/** Processor and memory of a node and its pods, asked of its agent. */
async function nodeStats({ core, services }: ApiServer, forward: ForwardCall, name: string, signal: AbortSignal): Promise<Json> {
  const { status, body } = await forward({ ...agentOf({ core, nodePort: services.nodePort }, name), target: "/stats/summary?only_cpu_and_memory=true" }, { method: "GET", signal });
  if (status !== 200) throw new Error(`the agent of node ${name} answered ${status}: ${body.slice(0, 200)}`);
  return JSON.parse(body) as Json;
}

function sendsYaml({ headers }: HttpRequest): boolean {
  return String(headers["content-type"] ?? "").includes("yaml");
}

/** Named after the machine, as upstream names it: `apiserver-` and the first half of the name's SHA-256 in base 32. */
function serverIdentity(machine: string, address: string): ServerIdentity {
  let digits = "";
  const bits = Array.from(createHash("sha256").update(machine).digest().subarray(0, 16), byte => byte.toString(2).padStart(8, "0")).join("");
  for (let at = 0; at < bits.length; at += 5) digits += "abcdefghijklmnopqrstuvwxyz234567"[Number.parseInt(bits.slice(at, at + 5).padEnd(5, "0"), 2)];
  return { name: `apiserver-${digits}`, hostname: machine, address };
}

function componentUser(name: string): User {
  return { name, uid: "", groups: ["system:authenticated"], extra: {} };
}

function credentialsOf(pki: Pki): ServerCredentials {
  return { ...pemOf(pki, "apiserver"), clientCa: pki.authority("client"), frontProxyCa: pki.authority("front-proxy") };
}

function pemOf(pki: Pki, name: string): { readonly cert: string; readonly key: string } {
  const { certificate, key } = pki.identity(name);
  return { cert: certificate, key: privateKeyPem(key) };
}
