/** Where the ingress proxy listens, as the commands tell it. */
import type { Cluster, Machine } from "./machine.ts";

/** The usual ports, else the next ones that people try. */
export function ingressPorts(port: number): readonly number[] {
  return port === 80 ? [80, 8080, 8081, 8082, 8083] : port === 443 ? [443, 8443, 8444, 8445, 8446] : [port];
}

/** One line, or undefined where no Ingress or Gateway has asked for the proxy. */
export async function ingressLine(machine: Machine, cluster: Cluster): Promise<string | undefined> {
  const daemon = await machine.daemon("ingress", cluster.runFolder);
  if (!daemon) return undefined;
  const text = await machine.read(`${cluster.runFolder}/ingress/listening.json`);
  const listening = text === undefined ? {} : JSON.parse(text) as { readonly [port: string]: number | string };
  const places = Object.entries(listening).map(([wanted, at]) => (typeof at === "string" ? `port ${wanted}: ${at}` : `${wanted === "443" ? "https" : "http"}://NAME.localhost${at === 80 || at === 443 ? "" : `:${at}`}${String(at) === wanted ? "" : ` (port ${wanted} is taken)`}`));
  return `${places.length === 0 ? "starting" : places.join(", ")}; pid ${daemon.pid}, ${(daemon.residentBytes / 1e6).toFixed(0)} MB`;
}
