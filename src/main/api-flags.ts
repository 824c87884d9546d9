/** What the API server was told to be, in upstream's words, for /flagz. */
import { issuer } from "../api/authn/service-account-token.ts";
import { eventTtlMs } from "../api/event-ttl.ts";
import { requestTimeoutMs } from "../api/limits.ts";
import type { Cluster } from "../cli/machine.ts";
import { serviceNetworks } from "./node-settings.ts";

const list = (values: readonly string[]): string => `[${values.join(",")}]`;
const duration = (ms: number): string => `${ms >= 3_600_000 ? `${Math.floor(ms / 3_600_000)}h` : ""}${Math.floor(ms / 60_000) % 60}m${Math.floor(ms / 1000) % 60}s`;

/** `files`: those of the administrator's folder, by their flags. Flags that stand for nothing here are not told. */
export function flagsOf(cluster: Cluster, frontProxyNames: readonly string[], files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return {
    "advertise-address": cluster.advertise ?? "", "allow-privileged": "true", ...(files["authentication-config"] === undefined ? { "anonymous-auth": "true" } : {}), "api-audiences": list([issuer]),
    "audit-log-format": "json", "audit-log-maxage": "30", "audit-log-maxbackup": "10", "audit-log-maxsize": "100", "audit-log-path": `${cluster.dataFolder}/logs/audit.log`,
    ...(files["authorization-config"] === undefined ? { "authorization-mode": "[Node,RBAC]" } : {}), "bind-address": cluster.listen[0] ?? "", "enable-admission-plugins": list(["NodeRestriction", ...(cluster.externalIPs === true ? [] : ["DenyServiceExternalIPs"])]),
    "enable-aggregator-routing": "true", "enable-bootstrap-token-auth": "true", "enable-logs-handler": "false", "enable-priority-and-fairness": "true", "event-ttl": duration(eventTtlMs), "kubelet-port": String(cluster.nodePort), "profiling": "false",
    "request-timeout": duration(requestTimeoutMs), "requestheader-allowed-names": list(frontProxyNames), "requestheader-extra-headers-prefix": "[X-Remote-Extra-]", "requestheader-group-headers": "[X-Remote-Group]",
    "requestheader-uid-headers": "[X-Remote-Uid]", "requestheader-username-headers": "[X-Remote-User]", "secure-port": String(cluster.port), "service-account-issuer": list([issuer]), "service-account-lookup": "true",
    "service-cluster-ip-range": serviceNetworks(cluster).join(","), "service-node-port-range": "30000-32767", ...files,
  };
}
