import { sameJson } from "../base/json.ts";
import { msOf, timeOf } from "../base/time.ts";
import { keyOf, type Index } from "../client/informer.ts";
import { Pod } from "../kinds/core/pod.ts";
import { Service } from "../kinds/core/service.ts";
import type { Context, Controller } from "./controller.ts";
import { cleanupFinalizer, heldPorts, isOurs, planLoadBalancers, type Decision, type HeldPort, type LoadBalancers, type TakenBy } from "./load-balancer-plan.ts";

/** One key for all: an address that one service gives back is what another waits for. */
const all = "all";
const condition = "LoadBalancerPortsError";
/** How long a service without an address waits before it tries again by itself (upstream's minRetryDelay and maxRetryDelay): as long as it has waited already. */
const retryMsMin = 5_000;
const retryMsMax = 300_000;

const byHostPort: Index<Pod> = { name: "host port", valuesOf: pod => (pod.spec.hostNetwork === true ? [] : pod.spec.containers.flatMap(({ ports = [] }) => ports.flatMap(({ hostPort, protocol }) => (hostPort ? [`${protocol ?? "TCP"} ${hostPort}`] : [])))) };
const byNodePort: Index<Service> = { name: "node port", valuesOf: ({ spec }) => (spec.ports ?? []).flatMap(({ nodePort, protocol }) => (nodePort ? [`${protocol ?? "TCP"} ${nodePort}`] : [])) };

const isConcerned = (service: Service | undefined): boolean => service !== undefined && (isOurs(service) || service.metadata.finalizers?.includes(cleanupFinalizer) === true);

/** Gives LoadBalancer services their addresses (staging/src/k8s.io/cloud-provider/controllers/service); the service proxies do the rest. */
export const loadBalancerController: Controller = {
  name: "service",
  account: "service-controller",
  watches: [{ kind: Service, keysOf: (service: Service, _context, { previous }) => (isConcerned(service) || isConcerned(previous) ? [all] : []) }],
  reads: [Pod],
  workers: 1,

  async reconcile(_key, context) {
    const { loadBalancers } = context.settings;
    if (loadBalancers === undefined) return undefined;
    const services = context.read(Service).list().filter(isConcerned);
    if (services.length === 0) {
      await loadBalancers.hold?.([]);
      return undefined;
    }
    const { decisions, shared } = await decide(services, loadBalancers, context);
    for (const { service, text } of shared) context.events.event(service, "Warning", "LoadBalancerPortShared", text);
    // One that cannot be written must not hold up the others.
    const results = await Promise.allSettled(decisions.map(decision => carryOut(decision, context)));
    for (const result of results) if (result.status === "rejected") throw result.reason;
    const waits = decisions.flatMap(decision => (decision.action === "refuse" || (decision.action === "ensure" && decision.missing !== undefined) ? [waitOf(decision.service, context.clock.now())] : []));
    if (shared.length > 0) waits.push(retryMsMax);
    return waits.length === 0 ? undefined : { after: Math.min(...waits) };
  },
};

type Shared = { readonly service: Service; readonly text: string };
/** More addresses of the machine's own there are not, and each round loses one for a service. */
const roundsMax = 4;

/**
 * Nothing is promised that cannot be held: who binds a port first has it, program or cluster. A service that has shown a port already keeps it,
 * its packets come first; it is told of the program that took the port while nobody held it, and hears nothing there.
 */
async function decide(services: readonly Service[], loadBalancers: LoadBalancers, context: Context): Promise<{ readonly decisions: readonly Decision[]; readonly shared: readonly Shared[] }> {
  const isTaken = await takenBy(loadBalancers.listening, context);
  const lost = new Set<string>();
  for (let round = 1; ; round++) {
    const decisions = planLoadBalancers(services, loadBalancers, (ip, protocol, port, service) => (lost.has(`${ip} ${protocol} ${port}`) ? "another program of this machine, which took it at this moment" : isTaken(ip, protocol, port, service)));
    const taken = await loadBalancers.hold?.(heldPorts(services, loadBalancers.hosts, decisions)) ?? [];
    const before = new Set(heldPorts(services, loadBalancers.hosts).map(nameOf));
    const fresh = taken.filter(port => !before.has(nameOf(port)));
    if (fresh.length === 0 || round === roundsMax) return { decisions: fresh.length === 0 ? decisions : decisions.filter(({ service }) => !fresh.some(port => port.service === keyOf(service))), shared: taken.filter(port => before.has(nameOf(port))).flatMap(port => sharedBy(port, services)) };
    for (const { ip, protocol, port } of fresh) lost.add(`${ip} ${protocol} ${port}`);
  }
}
const nameOf = ({ ip, protocol, port, service }: HeldPort): string => `${ip} ${protocol} ${port} ${service}`;
function sharedBy({ ip, protocol, port, service: key }: HeldPort, services: readonly Service[]): readonly Shared[] {
  const service = services.find(each => keyOf(each) === key);
  return service === undefined ? [] : [{ service, text: `port ${port}/${protocol} of ${ip} is this service's, but another program of this machine has begun to listen there and hears nothing (see ss -l${protocol === "UDP" ? "u" : "t"}np sport = :${port})` }];
}

async function takenBy(listening: () => Promise<TakenBy>, context: Context): Promise<TakenBy> {
  const programs = await listening();
  return (ip, protocol, port, service) => {
    const nodePort = context.read(Service).by(byNodePort, `${protocol} ${port}`).find(each => each.metadata.uid !== service.metadata.uid);
    if (nodePort !== undefined) return `the node port of Service ${keyOf(nodePort)}`;
    const pod = context.read(Pod).by(byHostPort, `${protocol} ${port}`).find(({ status }) => status.hostIP === ip && status.phase !== "Succeeded" && status.phase !== "Failed");
    if (pod !== undefined) return `the host port of Pod ${keyOf(pod)}`;
    return programs(ip, protocol, port, service);
  };
}

async function carryOut(decision: Decision, context: Context): Promise<void> {
  const { service } = decision;
  const { metadata, status } = service;
  const finalizers = metadata.finalizers ?? [];
  const others = (status.conditions ?? []).filter(({ type }) => type !== condition);
  const write = (held: boolean, next: Omit<Service["status"], "conditions">, conditions: NonNullable<Service["status"]["conditions"]>): Promise<unknown> => {
    const { conditions: _, ...rest } = { ...status, ...next };
    const kept = held ? (finalizers.includes(cleanupFinalizer) ? finalizers : [...finalizers, cleanupFinalizer]) : finalizers.filter(name => name !== cleanupFinalizer);
    // Metadata and status in one write: there is no moment with an address and without the finalizer.
    return context.updateStatus(Service, { ...service, metadata: { ...metadata, finalizers: [...kept] }, status: { ...rest, ...(conditions.length > 0 ? { conditions } : {}) } } as Service);
  };
  if (decision.action === "release") {
    context.events.event(service, "Normal", "DeletingLoadBalancer", "Deleting load balancer");
    await context.ifThere(write(false, { loadBalancer: {} }, others));
    context.events.event(service, "Normal", "DeletedLoadBalancer", "Deleted load balancer");
    return;
  }
  const held = finalizers.includes(cleanupFinalizer);
  const obstacle = decision.action === "refuse" ? decision : decision.missing;
  const ingress = decision.action === "refuse" ? [] : decision.ingress;
  const now = status.conditions?.find(({ type }) => type === condition);
  const told = obstacle === undefined ? now === undefined : now?.status === "True" && now.message === obstacle.message && now.reason === obstacle.reason;
  const same = told && held && sameJson(status.loadBalancer?.ingress ?? [], ingress);
  // One that has no address says so each time it is tried, as upstream.
  if (same && ingress.length > 0) return;
  context.events.event(service, "Normal", "EnsuringLoadBalancer", "Ensuring load balancer");
  if (obstacle !== undefined) context.events.event(service, "Warning", "SyncLoadBalancerFailed", `Error syncing load balancer: failed to ensure load balancer: ${obstacle.message}`);
  if (same) return;
  const since = now?.status === "True" ? now.lastTransitionTime : timeOf(context.clock.now());
  const conditions = obstacle === undefined ? [] : [{ type: condition, status: "True", reason: obstacle.reason, message: obstacle.message, lastTransitionTime: since, observedGeneration: metadata.generation }];
  await write(true, { loadBalancer: ingress.length === 0 ? {} : { ingress } }, [...others, ...conditions] as NonNullable<Service["status"]["conditions"]>);
  if (obstacle === undefined) context.events.event(service, "Normal", "EnsuredLoadBalancer", "Ensured load balancer");
}

function waitOf({ status }: Service, now: number): number {
  const since = msOf(status.conditions?.find(({ type }) => type === condition)?.lastTransitionTime);
  return Math.min(retryMsMax, Math.max(retryMsMin, since === undefined ? 0 : now - since));
}
