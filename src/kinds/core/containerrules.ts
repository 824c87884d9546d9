/** Rules of containers of the three sorts (kubernetes pkg/apis/core/validation validateContainers, validateInitContainers, validateEphemeralContainers). */
import { repeatsOf } from "../../base/repeats.ts";
import * as grammar from "../../schema/grammar.ts";
import { duplicate, forbidden, invalidValue, notFound, notSupported, type Problem, required, tooMany } from "../../schema/problem.ts";
import type { Container, ContainerPort, EphemeralContainer, VolumeMount } from "./container.ts";
import { validateEnv } from "./envrules.ts";
import type { PodSpec } from "./podspec.ts";
import type { LifecycleHandler, Probe } from "./probe.ts";
import { validateRequirements } from "./resourcerules.ts";
import { validateSecurityContext } from "./securityrules.ts";
import { descendingPath } from "./volumesourcerules.ts";
import type { Volume } from "./volume.ts";

type Surroundings = { readonly spec: PodSpec; readonly volumes: ReadonlyMap<string, Volume>; readonly claims: ReadonlySet<string>; readonly isPod: boolean };
type AnyContainer = Container | EphemeralContainer;

const noNames: ReadonlySet<string> = new Set();

/** What is wrong with the containers goes to `problems`. */
export function validateContainers(spec: PodSpec, volumes: ReadonlyMap<string, Volume>, path: string, isPod: boolean, problems: Problem[]): void {
  const around: Surroundings = { spec, volumes, claims: spec.resourceClaims === undefined ? noNames : new Set(spec.resourceClaims.map(({ name }) => name)), isPod };
  if (spec.containers.length === 0) problems.push(required(`${path}.containers`));
  const names = new Set<string>();
  spec.containers.forEach((container, i) => {
    const here = `${path}.containers[${i}]`;
    checkCommon(container, around, here, problems);
    if (names.has(container.name)) problems.push(duplicate(`${here}.name`, container.name));
    names.add(container.name);
    checkLifecycleAndProbes(container, spec, here, problems);
    checkRestarts(container, false, here, problems);
  });
  checkHostPorts(spec.containers, `${path}.containers`, problems);
  if (spec.initContainers !== undefined) checkInit(around, names, spec.initContainers, path, problems);
  if (spec.ephemeralContainers !== undefined) checkEphemeral(around, spec.ephemeralContainers, path, problems);
}

/** `names`: those that the pod's other containers have. */
function checkInit(around: Surroundings, names: Set<string>, containers: readonly Container[], path: string, problems: Problem[]): void {
  const { spec } = around;
  containers.forEach((container, i) => {
    const here = `${path}.initContainers[${i}]`;
    checkCommon(container, around, here, problems);
    checkRestarts(container, true, here, problems);
    if (names.has(container.name)) problems.push(duplicate(`${here}.name`, container.name));
    else if (container.name !== "") names.add(container.name);
    checkHostPorts([container], `${path}.initContainers`, problems);
    if (container.restartPolicy === "Always") checkLifecycleAndProbes(container, spec, here, problems);
    else {
      for (const name of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) {
        if (container[name] !== undefined) problems.push(forbidden(`${here}.${name}`, "may not be set for init containers without restartPolicy=Always"));
      }
    }
  });
}

const ephemeralForbidden = ["ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resizePolicy", "restartPolicy", "restartPolicyRules"] as const;
function checkEphemeral({ spec, ...rest }: Surroundings, containers: readonly EphemeralContainer[], path: string, problems: Problem[]): void {
  const others = new Set([...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(others);
  containers.forEach((container, i) => {
    const here = `${path}.ephemeralContainers[${i}]`;
    checkCommon(container, { spec, ...rest, isPod: true }, here, problems);
    if (names.has(container.name)) problems.push(duplicate(`${here}.name`, container.name));
    names.add(container.name);
    const { targetContainerName = "" } = container;
    if (targetContainerName !== "" && !others.has(targetContainerName)) problems.push(notFound(`${here}.targetContainerName`, targetContainerName));
    const text = "cannot be set for an Ephemeral Container";
    for (const name of ephemeralForbidden) if (container[name] !== undefined) problems.push(forbidden(`${here}.${name}`, text));
    if (Object.keys(container.resources).length > 0) problems.push(forbidden(`${here}.resources`, text));
    (container.volumeMounts ?? []).forEach(({ subPath, subPathExpr }, j) => {
      if (subPath) problems.push(forbidden(`${here}.volumeMounts[${j}].subPath`, text));
      if (subPathExpr) problems.push(forbidden(`${here}.volumeMounts[${j}].subPathExpr`, text));
    });
  });
}

function checkCommon(container: AnyContainer, around: Surroundings, path: string, problems: Problem[]): void {
  if (container.name === "") problems.push(required(`${path}.name`));
  else for (const detail of grammar.dnsLabel(container.name)) problems.push(invalidValue(`${path}.name`, container.name, detail));
  const image = container.image ?? "";
  if (image === "") problems.push(required(`${path}.image`));
  else if (around.isPod && image.trim() !== image) problems.push(invalidValue(`${path}.image`, image, "must not have leading or trailing whitespace"));
  if (container.ports !== undefined) checkPorts(container.ports, `${path}.ports`, problems);
  validateEnv(container, around.volumes, path, problems);
  if (container.volumeMounts !== undefined || container.volumeDevices !== undefined) checkMounts(container, around.volumes, path, problems);
  const { limits, requests, claims } = container.resources;
  if (limits !== undefined || requests !== undefined || claims !== undefined) problems.push(...validateRequirements(container.resources, around.claims, `${path}.resources`));
  if (container.resizePolicy !== undefined) checkResizePolicy(container.resizePolicy, around.spec.restartPolicy, `${path}.resizePolicy`, problems);
  if (container.securityContext !== undefined) problems.push(...validateSecurityContext(container.securityContext, around.spec.hostUsers !== false, `${path}.securityContext`));
}

function checkResizePolicy(policies: NonNullable<AnyContainer["resizePolicy"]>, podPolicy: string, path: string, problems: Problem[]): void {
  const resized = new Set<string>();
  policies.forEach(({ resourceName, restartPolicy }, i) => {
    if (resized.has(resourceName)) problems.push(duplicate(`${path}[${i}]`, resourceName));
    resized.add(resourceName);
    if (resourceName !== "cpu" && resourceName !== "memory") problems.push(resourceName === "" ? required(path) : notSupported(path, resourceName, ["cpu", "memory"]));
    if (restartPolicy !== "NotRequired" && restartPolicy !== "RestartContainer") problems.push(restartPolicy === "" ? required(path) : notSupported(path, restartPolicy, ["NotRequired", "RestartContainer"]));
    if (podPolicy === "Never" && restartPolicy !== "NotRequired") problems.push(invalidValue(path, restartPolicy, "must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
  });
}

function checkRestarts({ restartPolicy, restartPolicyRules: rules = [] }: Container, init: boolean, path: string, problems: Problem[]): void {
  if (restartPolicy === undefined && rules.length === 0) return;
  if (restartPolicy === undefined) {
    if (rules.length > 0) problems.push(required(`${path}.restartPolicy`, "must specify restartPolicy when restart rules are used"));
    if (init) return;
  } else if (!["Always", "OnFailure", "Never"].includes(restartPolicy)) problems.push(notSupported(`${path}.restartPolicy`, restartPolicy, ["Always", "Never", "OnFailure"]));
  if (rules.length > 20) problems.push(tooMany(`${path}.restartPolicyRules`, rules.length, 20));
  rules.forEach(({ action = "", exitCodes }, i) => {
    const here = `${path}.restartPolicyRules[${i}]`;
    if (action !== "Restart" && action !== "RestartAllContainers") problems.push(notSupported(`${here}.action`, action, ["Restart", "RestartAllContainers"]));
    if (exitCodes === undefined) return void problems.push(required(`${here}.exitCodes`, "must be specified"));
    if (!["In", "NotIn"].includes(exitCodes.operator)) problems.push(notSupported(`${here}.exitCodes.operator`, exitCodes.operator, ["In", "NotIn"]));
    if ((exitCodes.values ?? []).length > 255) problems.push(tooMany(`${here}.exitCodes.values`, exitCodes.values!.length, 255));
  });
}

function checkPorts(ports: readonly ContainerPort[], path: string, problems: Problem[]): void {
  const names = new Set<string>();
  ports.forEach(({ name = "", containerPort, hostPort = 0 }, i) => {
    if (name !== "") {
      const details = grammar.portName(name);
      for (const detail of details) problems.push(invalidValue(`${path}[${i}].name`, name, detail));
      if (details.length === 0 && names.has(name)) problems.push(duplicate(`${path}[${i}].name`, name));
      names.add(name);
    }
    if (containerPort === 0) problems.push(required(`${path}[${i}].containerPort`));
    else for (const detail of grammar.validPort(containerPort)) problems.push(invalidValue(`${path}[${i}].containerPort`, containerPort, detail));
    if (hostPort !== 0) for (const detail of grammar.validPort(hostPort)) problems.push(invalidValue(`${path}[${i}].hostPort`, hostPort, detail));
  });
}
function checkHostPorts(containers: readonly Container[], path: string, problems: Problem[]): void {
  let taken: Set<string> | undefined;
  containers.forEach(({ ports }, i) => ports?.forEach(({ hostPort = 0, protocol, hostIP = "" }, j) => {
    if (hostPort === 0) return;
    const key = `${protocol}/${hostIP}/${hostPort}`;
    if (taken?.has(key) === true) problems.push(duplicate(`${path}[${i}].ports[${j}].hostPort`, key));
    (taken ??= new Set()).add(key);
  }));
}

function checkMounts(container: AnyContainer, volumes: ReadonlyMap<string, Volume>, path: string, problems: Problem[]): void {
  const mounts = container.volumeMounts ?? [];
  const devices = container.volumeDevices ?? [];
  const repeated = repeatsOf(mounts, ({ mountPath }) => mountPath);
  let next = 0;
  mounts.forEach((mount, i) => {
    const here = `${path}.volumeMounts[${i}]`;
    if (mount.name === "") problems.push(required(`${here}.name`));
    if (!volumes.has(mount.name)) problems.push(notFound(`${here}.name`, mount.name));
    if (mount.mountPath === "") problems.push(required(`${here}.mountPath`));
    if (repeated[next] === i) {
      next++;
      problems.push(invalidValue(`${here}.mountPath`, mount.mountPath, "must be unique"));
    }
    if (devices.length > 0) {
      if (devices.some(({ name }) => name === mount.name)) problems.push(invalidValue(`${here}.name`, mount.name, "must not already exist in volumeDevices"));
      if (devices.some(({ devicePath }) => devicePath === mount.mountPath)) problems.push(invalidValue(`${here}.mountPath`, mount.mountPath, "must not already exist as a path in volumeDevices"));
    }
    checkMount(mount, container, here, path, problems);
  });
  if (devices.length === 0) return;
  const [names, paths] = [new Set<string>(), new Set<string>()];
  devices.forEach(({ name, devicePath }, i) => {
    const here = `${path}.volumeDevices[${i}]`;
    const volume = volumes.get(name);
    if (name === "") problems.push(required(`${here}.name`));
    if (names.has(name)) problems.push(invalidValue(`${here}.name`, name, "must be unique"));
    names.add(name);
    if (volume === undefined) problems.push(notFound(`${here}.name`, name));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) problems.push(invalidValue(`${here}.name`, name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"));
    if (devicePath === "") problems.push(required(`${here}.devicePath`));
    else if (paths.has(devicePath)) problems.push(invalidValue(`${here}.devicePath`, devicePath, "must be unique"));
    else if (devicePath.split("/").includes("..")) problems.push(invalidValue(`${here}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    paths.add(devicePath);
    if (mounts.some(mount => mount.name === name)) problems.push(invalidValue(`${here}.name`, name, "must not already exist in volumeMounts"));
    if (mounts.some(({ mountPath }) => mountPath === devicePath)) problems.push(invalidValue(`${here}.devicePath`, devicePath, "must not already exist as a path in volumeMounts"));
  });
}
const propagations: readonly string[] = ["None", "HostToContainer", "Bidirectional"];
function checkMount(mount: VolumeMount, container: AnyContainer, here: string, path: string, problems: Problem[]): void {
  const { subPath = "", subPathExpr = "" } = mount;
  if (subPath !== "") problems.push(...descendingPath(subPath, `${path}.volumeMounts.subPath`));
  if (subPathExpr !== "") {
    if (subPath !== "") problems.push(invalidValue(`${here}.subPathExpr`, subPathExpr, "subPathExpr and subPath are mutually exclusive"));
    problems.push(...descendingPath(subPathExpr, `${path}.volumeMounts.subPathExpr`));
  }
  const propagation = mount.mountPropagation as string | undefined;
  if (propagation !== undefined && !propagations.includes(propagation)) problems.push(notSupported(`${path}.volumeMounts.mountPropagation`, propagation, ["Bidirectional", "HostToContainer", "None"]));
  if (mount.mountPropagation === "Bidirectional" && container.securityContext?.privileged !== true) problems.push(forbidden(`${path}.volumeMounts.mountPropagation`, "Bidirectional mount propagation is available only to privileged containers"));
  const readOnly = mount.recursiveReadOnly;
  if (readOnly === undefined || readOnly === "Disabled") return;
  if (readOnly !== "Enabled" && readOnly !== "IfPossible") problems.push(notSupported(`${path}.volumeMounts.recursiveReadOnly`, readOnly, ["Disabled", "Enabled", "IfPossible"]));
  else {
    if (mount.readOnly !== true) problems.push(forbidden(`${path}.volumeMounts.recursiveReadOnly`, "may only be specified when readOnly is true"));
    if (mount.mountPropagation !== undefined && mount.mountPropagation !== "None") problems.push(forbidden(`${path}.volumeMounts.recursiveReadOnly`, "may only be specified when mountPropagation is None or not specified"));
  }
}

const probes = ["livenessProbe", "readinessProbe", "startupProbe"] as const;
function checkLifecycleAndProbes(container: Container, spec: PodSpec, path: string, problems: Problem[]): void {
  const grace = spec.terminationGracePeriodSeconds;
  if (container.lifecycle !== undefined) for (const hook of ["postStart", "preStop"] as const) {
    const handler = container.lifecycle[hook];
    if (handler !== undefined) checkHandler(handler, grace, `${path}.lifecycle.${hook}`, problems);
  }
  const stopSignal = container.lifecycle?.stopSignal;
  if (stopSignal !== undefined && spec.os === undefined) problems.push(forbidden(`${path}.lifecycle.stopSignal`, "may not be set for containers with empty `spec.os.name`"));
  for (const name of probes) {
    const probe = container[name];
    if (probe === undefined) continue;
    checkProbe(probe, grace, `${path}.${name}`, problems);
    if (name !== "readinessProbe") {
      if (probe.successThreshold !== 1) problems.push(invalidValue(`${path}.${name}.successThreshold`, probe.successThreshold, "must be 1"));
    } else if (probe.terminationGracePeriodSeconds !== undefined) problems.push(invalidValue(`${path}.${name}.terminationGracePeriodSeconds`, probe.terminationGracePeriodSeconds, "must not be set for readinessProbes"));
  }
}
const probeNumbers = ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] as const;
function checkProbe(probe: Probe, grace: number, path: string, problems: Problem[]): void {
  checkHandler(probe, grace, path, problems);
  for (const name of probeNumbers) {
    if ((probe[name] ?? 0) < 0) problems.push(invalidValue(`${path}.${name}`, probe[name], "must be greater than or equal to 0"));
  }
  const own = probe.terminationGracePeriodSeconds;
  if (own !== undefined && own <= 0) problems.push(invalidValue(`${path}.terminationGracePeriodSeconds`, own, "must be greater than 0"));
}
function checkHandler(handler: LifecycleHandler & Partial<Pick<Probe, "grpc">>, grace: number, path: string, problems: Problem[]): void {
  const given = (["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const).filter(name => handler[name] !== undefined);
  if (given.length === 0) problems.push(required(path, "must specify a handler type"));
  for (const name of given.slice(1)) problems.push(forbidden(`${path}.${name}`, "may not specify more than 1 handler type"));
  switch (given[0]) {
    case "exec": if ((handler.exec!.command ?? []).length === 0) problems.push(required(`${path}.exec.command`)); break;
    case "httpGet": {
      checkPortReference(handler.httpGet!.port, `${path}.httpGet.port`, problems);
      for (const { name } of handler.httpGet!.httpHeaders ?? []) for (const detail of grammar.httpHeaderName(name)) problems.push(invalidValue(`${path}.httpGet.httpHeaders`, name, detail));
      break;
    }
    case "tcpSocket": checkPortReference(handler.tcpSocket!.port, `${path}.tcpSocket.port`, problems); break;
    case "grpc": checkPortReference(handler.grpc!.port, `${path}.grpc.port`, problems); break;
    case "sleep": {
      const { seconds } = handler.sleep!;
      if (seconds < 0 || seconds > grace) problems.push(invalidValue(`${path}.sleep`, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`));
    }
  }
}
/** A port by number or by name. */
export function checkPortReference(port: number | string, path: string, problems: Problem[]): void {
  const details = typeof port === "number" ? grammar.validPort(port) : grammar.portName(port);
  for (const detail of details) problems.push(invalidValue(path, port, detail));
}
