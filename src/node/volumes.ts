/** A pod's volumes on the node: made before its containers start, kept current while they run, removed after them. */
import { compareQuantities, quantityValue } from "../base/quantity.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { Volume } from "../kinds/core/volume.ts";
import { claimOf, type Claimed, type ClaimSource } from "./claims.ts";
import { containersOf, type AnyContainer } from "./containers.ts";
import type { Surroundings, Variable } from "./env.ts";
import { ConfigError } from "./env.ts";
import { expand } from "./expand.ts";
import type { Files } from "./host.ts";
import { podAmount } from "./resources.ts";
import { Propagation, type ContainerRuntime, type Mount } from "./runtime.ts";
import type { NodeFacts } from "./sandbox-config.ts";
import type { MountedClaim } from "./stats.ts";
import type { VolumeTally } from "./volume-tally.ts";
import { objectsOf, payloadOf, VolumeError, type TokenSource } from "./volume-content.ts";

/** One volume that is not ready, for an event. */
export type VolumeProblem = { readonly volume: string; readonly message: string; readonly soon: boolean };

export class Volumes {
  readonly #files: Files;
  readonly #node: NodeFacts;
  readonly #tokens: TokenSource;
  readonly #claims: ClaimSource;
  /** Where the claims of pods here lead, since they were made ready. */
  readonly #claimed = new Map<string, Claimed>();
  readonly #runtime: Pick<ContainerRuntime, "viewImage" | "releaseView">;
  readonly #tally: VolumeTally | undefined;
  constructor(files: Files, node: NodeFacts, tokens: TokenSource, runtime: Pick<ContainerRuntime, "viewImage" | "releaseView">, claims: ClaimSource, tally?: VolumeTally) {
    this.#tally = tally;
    this.#claims = claims;
    this.#runtime = runtime;
    this.#files = files;
    this.#node = node;
    this.#tokens = tokens;
  }

  podDir(podUID: string): string {
    return `${this.#node.podsDir}/${podUID}`;
  }
  hostsPath(podUID: string): string {
    return `${this.podDir(podUID)}/etc-hosts`;
  }
  terminationPath(podUID: string, container: string, restartCount: number): string {
    return `${this.podDir(podUID)}/containers/${container}/${restartCount}`;
  }

  /** Makes what is missing and renews what has changed. Idempotent: runs at every start and every so often. */
  async ensure(pod: Pod, around: Surroundings): Promise<readonly VolumeProblem[]> {
    const uid = pod.metadata.uid ?? "";
    for (const path of ["", "/volumes", "/volume-subpaths", "/containers"]) await this.#files.makeFolder(this.podDir(uid) + path, 0o750);
    const problems: VolumeProblem[] = [];
    const used = new Set(containersOf(pod).flatMap(({ container }) => (container.volumeMounts ?? []).map(({ name }) => name)));
    for (const volume of (pod.spec.volumes ?? []).filter(({ name }) => used.has(name))) {
      for (const { kind, name } of objectsOf(volume)) around.references.use(uid, kind, pod.metadata.namespace ?? "", name);
      const done = this.#tally?.mounting(uid, volume.name, this.#plugin(pod, volume));
      try {
        await this.#one(pod, volume, around);
        // An image's comes with the first container that uses it.
        if (volume.image === undefined) done?.(this.#plugin(pod, volume), "success");
      } catch (error) {
        done?.(this.#plugin(pod, volume), "fail-unknown");
        if (!(error instanceof Error)) throw error;
        problems.push({ volume: volume.name, message: error.message, soon: error instanceof VolumeError && error.soon });
      }
    }
    return problems;
  }

  async #one(pod: Pod, volume: Volume, around: Surroundings): Promise<void> {
    const path = this.#path(pod, volume);
    const group = pod.spec.securityContext?.fsGroup;
    if (volume.emptyDir) return this.#emptyDir(pod, volume, path, group);
    // Pulled and mounted when a container that uses it starts.
    if (volume.image) return;
    if (claimOf(pod, volume)) return this.#claim(pod, volume, group);
    if (volume.hostPath) return this.#files.checkHostPath(volume.hostPath.path, volume.hostPath.type ?? "");
    const payload = await payloadOf(pod, volume, { ...around, token: this.#tokens.token });
    if (!payload) throw new VolumeError(`volumes of type ${Object.keys(volume).find(key => key !== "name") ?? "unknown"} are not supported by this node`);
    await this.#files.makeFolder(path, 0o777);
    await this.#files.publish(path, payload, group);
  }

  /** Upstream's names (pkg/volume); of a claim that leads nowhere yet nobody knows. */
  #plugin(pod: Pod, volume: Volume): string {
    if (claimOf(pod, volume)) return this.#claimed.get(`${pod.metadata.uid}/${volume.name}`)?.plugin ?? "N/A";
    const [, name] = plugins.find(([field]) => volume[field] !== undefined) ?? [];
    return name === undefined ? "N/A" : `kubernetes.io/${name}`;
  }

  async #claim(pod: Pod, volume: Volume, group: number | undefined): Promise<void> {
    const claimed = await this.#claims(pod, volume);
    const key = `${pod.metadata.uid}/${volume.name}`;
    // A provisioned folder is its claim's alone: whoever runs in the pod may write there.
    if (claimed.own && claimed.type === "DirectoryOrCreate" && (await this.#files.list(claimed.path)).length === 0) await this.#files.makeFolder(claimed.path, 0o777);
    await this.#files.checkHostPath(claimed.path, claimed.type);
    const give = (wanted: number): Promise<void> => this.#files.setGroup(claimed.path, wanted, false, pod.spec.securityContext?.fsGroupChangePolicy === "OnRootMismatch");
    if (group !== undefined && claimed.own && !claimed.readOnly && !this.#claimed.has(key)) await this.#once(`${this.podDir(pod.metadata.uid ?? "")}/plugins/kubernetes.io~local-volume/${volume.name}`, () => give(group));
    this.#claimed.set(key, claimed);
  }

  async #emptyDir(pod: Pod, { emptyDir }: Volume, path: string, group: number | undefined): Promise<void> {
    const medium = emptyDir?.medium ?? "";
    if (medium !== "" && medium !== "Memory") throw new VolumeError(`emptyDir medium ${medium} is not supported by this node`);
    await this.#once(path.replace(/\/volumes\//, "/plugins/"), async () => {
      await this.#files.makeFolder(path, 0o777);
      if (medium === "Memory") await this.#files.mountTmpfs(path, this.#memoryBytes(pod, emptyDir?.sizeLimit));
      if (group !== undefined) await this.#files.setGroup(path, group, false);
    });
  }
  /** Once in the pod's life, over restarts of ours: its containers may have changed owners and modes since. */
  async #once(folder: string, work: () => Promise<void>): Promise<void> {
    if (await this.#files.readTail(`${folder}/ready`, 1)) return;
    await work();
    await this.#files.makeFolder(folder, 0o750);
    await this.#files.writeFile(`${folder}/ready`, "ready\n", 0o640);
  }
  /** The smallest of the limit asked for, the pod's memory limit and the node's memory. */
  #memoryBytes(pod: Pod, sizeLimit: string | undefined): number {
    const limit = podAmount(pod, "limits", "memory");
    const everyLimited = pod.spec.containers.every(({ resources }) => resources?.limits?.["memory"] !== undefined);
    return Math.min(this.#node.memoryCapacity, ...(everyLimited ? [quantityValue(limit)] : []), ...(sizeLimit !== undefined && compareQuantities(sizeLimit, "0") > 0 ? [quantityValue(sizeLimit)] : []));
  }

  #path(pod: Pod, volume: Volume): string {
    if (volume.secret || volume.projected) return `${this.#node.memoryDir}/${pod.metadata.uid}/${volume.name}`;
    const plugin = volume.image ? "image" : volume.emptyDir ? "empty-dir" : volume.configMap ? "configmap" : "downward-api";
    return `${this.podDir(pod.metadata.uid ?? "")}/volumes/kubernetes.io~${plugin}/${volume.name}`;
  }

  /** The mounts of one container: its volumes, the hosts file, the termination log. */
  async mounts(pod: Pod, container: AnyContainer, environment: readonly Variable[], restartCount: number): Promise<readonly Mount[]> {
    const uid = pod.metadata.uid ?? "";
    const mounts: Mount[] = [];
    const values = new Map(environment.map(({ key, value }) => [key, value]));
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      const volume = pod.spec.volumes?.find(({ name }) => name === mount.name);
      if (!volume) throw new ConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
      const claimed = this.#claimed.get(`${uid}/${volume.name}`);
      const root = claimed ? claimed.path : volume.hostPath ? volume.hostPath.path : this.#path(pod, volume);
      const subPath = mount.subPathExpr ? expandStrictly(mount.subPathExpr, values) : mount.subPath ?? "";
      let hostPath = root;
      if (subPath !== "") {
        if (subPath.startsWith("/") || subPath.split("/").includes("..")) throw new ConfigError(`subPath "${subPath}" must be a relative path without ".."`);
        hostPath = `${this.podDir(uid)}/volume-subpaths/${mount.name}/${container.name}/${index}`;
        await this.#files.bindBeneath(root, subPath, hostPath);
      }
      mounts.push({
        containerPath: mount.mountPath.startsWith("/") ? mount.mountPath : `/${mount.mountPath}`, hostPath,
        readonly: mount.readOnly === true || claimed?.readOnly === true || volume.configMap !== undefined || volume.secret !== undefined || volume.downwardAPI !== undefined || volume.projected !== undefined || volume.image !== undefined,
        propagation: mount.mountPropagation === "HostToContainer" ? Propagation.hostToContainer : mount.mountPropagation === "Bidirectional" ? Propagation.bidirectional : Propagation.private,
      });
    }
    if (!mounts.some(({ containerPath }) => containerPath === "/etc/hosts")) mounts.push({ containerPath: "/etc/hosts", hostPath: this.hostsPath(uid), readonly: container.securityContext?.readOnlyRootFilesystem === true });
    if (container.terminationMessagePath) {
      const path = this.terminationPath(uid, container.name, restartCount);
      await this.#files.makeFolder(path.slice(0, path.lastIndexOf("/")), 0o750);
      await this.#files.writeFile(path, "", 0o666);
      mounts.push({ containerPath: container.terminationMessagePath, hostPath: path });
    }
    return mounts;
  }

  /** Puts an image's files where the containers' mounts will find them. */
  async mountImage(pod: Pod, volume: Volume, image: { readonly id: string }): Promise<void> {
    const path = this.#path(pod, volume);
    await this.#files.makeFolder(path, 0o755);
    const plugin = this.#plugin(pod, volume);
    const done = this.#tally?.mounting(pod.metadata.uid ?? "", volume.name, plugin);
    try {
      await this.#files.mountReadOnly(await this.#runtime.viewImage(image.id, viewName(pod, volume)), path);
      done?.(plugin, "success");
    } catch (error) {
      done?.(plugin, "fail-unknown");
      throw error;
    }
  }
  /** The pod's claims that are mounted here: local volumes and provisioned ones. Of a hostPath that somebody named nobody counts what is used, as upstream. */
  claimsOf(pod: Pod): readonly MountedClaim[] {
    return (pod.spec.volumes ?? []).flatMap(volume => {
      const claimed = this.#claimed.get(`${pod.metadata.uid}/${volume.name}`);
      return claimed?.own ? [{ volume: volume.name, claim: claimOf(pod, volume)?.name ?? "", path: claimed.path }] : [];
    });
  }
  async releaseImages(pod: Pod): Promise<void> {
    for (const volume of pod.spec.volumes ?? []) if (volume.image) await this.#runtime.releaseView(viewName(pod, volume));
  }

  /** Of a pod that has ended but is still shown: its volumes go, what its containers left as last words stays. */
  async tearDown(podUID: string): Promise<void> {
    this.#tally?.gone(podUID);
    for (const key of this.#claimed.keys()) if (key.startsWith(`${podUID}/`)) this.#claimed.delete(key);
    for (const path of ["/volume-subpaths", "/volumes", "/plugins"]) await this.#files.removeTree(this.podDir(podUID) + path);
    await this.#files.removeTree(`${this.#node.memoryDir}/${podUID}`);
    this.#tokens.forget(podUID);
  }

  async remove(podUID: string): Promise<void> {
    await this.#files.removeTree(this.podDir(podUID));
    await this.#files.removeTree(`${this.#node.memoryDir}/${podUID}`);
    this.#tokens.forget(podUID);
  }
}

const plugins = [["emptyDir", "empty-dir"], ["configMap", "configmap"], ["secret", "secret"], ["projected", "projected"], ["downwardAPI", "downward-api"], ["hostPath", "host-path"], ["image", "image"]] as const;

function viewName(pod: Pod, { name }: Volume): string {
  return `timonier-${pod.metadata.uid}-${name}`;
}

function expandStrictly(text: string, values: ReadonlyMap<string, string>): string {
  const missing: string[] = [];
  const expanded = expand(text, name => {
    const value = values.get(name);
    if (value === undefined || value === "") missing.push(name);
    return value;
  });
  if (missing.length > 0) throw new ConfigError(`missing value for ${missing.map(name => JSON.stringify(name)).join(", ")}`);
  return expanded;
}
