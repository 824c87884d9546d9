/** What the agent does, in the words of a KubeletConfiguration (kubelet.config.k8s.io/v1beta1): made of the settings in use, so it cannot say anything else. */
import type { Json } from "../base/json.ts";
import { formatQuantity, quantityOf } from "../base/quantity.ts";
import { allowedMs, deniedMs, tokenMs } from "./access.ts";
import { restartMaxMs, tidyMs, type AgentOptions } from "./agent.ts";
import { goDuration } from "./back-off.ts";
import { transitionMs } from "./eviction.ts";
import { leaseSeconds, renewMs, statusMs } from "./heartbeat.ts";
import { ageMsMin, highPercent, lowPercent } from "./image-collection.ts";
import { pullsMax } from "./images.ts";
import { logBytesMax, logFilesMax } from "./log-rotation.ts";
import { statusImagesMax } from "./machine.ts";
import { resyncMs } from "./pod-worker.ts";
import { thresholds } from "./pressure.ts";
import { cpuPeriod } from "./resources.ts";
import { Profile } from "./runtime.ts";
import { profileOf } from "./sandbox-config.ts";

/** What only the host knows. */
export type HostConfiguration = {
  /** Where CRI is spoken; empty: no runtime of its own. */
  readonly containerRuntimeEndpoint: string;
  readonly runtimeRequestMs?: number;
  readonly resolvConf?: string;
  /** Whether others than the API server are let in, as the API server says. */
  readonly webhooks: boolean;
};

/** A field that is not here is nothing that this agent has a setting for. */
export function kubeletConfiguration({ identity, node, podCIDRs, stats }: Pick<AgentOptions, "identity" | "node" | "podCIDRs" | "stats">, host: HostConfiguration): Json {
  return {
    kind: "KubeletConfiguration", apiVersion: "kubelet.config.k8s.io/v1beta1",
    enableServer: true, port: identity.port, syncFrequency: goDuration(resyncMs), podLogsDir: node.logsDir,
    authentication: { x509: {}, webhook: { enabled: host.webhooks, cacheTTL: goDuration(tokenMs) }, anonymous: { enabled: false } },
    authorization: { mode: "Webhook", webhook: { cacheAuthorizedTTL: goDuration(allowedMs), cacheUnauthorizedTTL: goDuration(deniedMs) } },
    enableDebuggingHandlers: true, enableProfilingHandler: false, enableDebugFlagsHandler: false, enableSystemLogHandler: false,
    registerNode: true, nodeStatusUpdateFrequency: goDuration(renewMs), nodeStatusReportFrequency: goDuration(statusMs), nodeLeaseDurationSeconds: leaseSeconds, nodeStatusMaxImages: statusImagesMax,
    clusterDomain: node.clusterDomain, ...(node.clusterDNS.length === 0 ? {} : { clusterDNS: [...node.clusterDNS] }), ...(host.resolvConf === undefined ? {} : { resolvConf: host.resolvConf }),
    maxPods: identity.podsMax, podPidsLimit: -1, ...(podCIDRs.length === 0 ? {} : { podCIDR: podCIDRs.join(",") }),
    cgroupRoot: node.cgroupRoot, cgroupDriver: "cgroupfs", cgroupsPerQOS: true, cpuCFSQuota: true, cpuCFSQuotaPeriod: goDuration(cpuPeriod / 1000), failCgroupV1: false, failSwapOn: false,
    cpuManagerPolicy: "none", memoryManagerPolicy: "None", topologyManagerPolicy: "none",
    seccompDefault: profileOf(undefined, node).profileType === Profile.runtimeDefault,
    serializeImagePulls: false, maxParallelImagePulls: pullsMax,
    ...(stats === undefined ? {} : {
      imageMinimumGCAge: goDuration(ageMsMin), imageMaximumGCAge: "0s", imageGCHighThresholdPercent: highPercent, imageGCLowThresholdPercent: lowPercent,
      evictionHard: Object.fromEntries(thresholds.map(({ signal, least }) => [signal, least])), evictionPressureTransitionPeriod: goDuration(transitionMs), localStorageCapacityIsolation: true,
    }),
    containerLogMaxSize: formatQuantity(quantityOf(logBytesMax, "BinarySI")), containerLogMaxFiles: logFilesMax, containerLogMaxWorkers: 1, containerLogMonitorInterval: goDuration(tidyMs),
    configMapAndSecretChangeDetectionStrategy: "Watch", crashLoopBackOff: { maxContainerRestartPeriod: goDuration(restartMaxMs) },
    containerRuntimeEndpoint: host.containerRuntimeEndpoint, ...(host.runtimeRequestMs === undefined ? {} : { runtimeRequestTimeout: goDuration(host.runtimeRequestMs) }),
  };
}
