/** What stands in the files of configMap, secret, downwardAPI and projected volumes. */
import type { Pod } from "../kinds/core/pod.ts";
import type { Volume } from "../kinds/core/volume.ts";
import { containerOf } from "./containers.ts";
import { podField, resourceField, type Surroundings } from "./env.ts";
import type { Payload } from "./host.ts";
import { bytesOf } from "./references.ts";

/** The volume cannot be set up (yet): the message follows upstream's `MountVolume.SetUp failed for volume "x" : `. */
export class VolumeError extends Error {
  override name = "VolumeError";
  /** Somebody is at it: worth telling only if it lasts. */
  readonly soon: boolean;
  constructor(message: string, soon = false) {
    super(message);
    this.soon = soon;
  }
}

export type TokenSource = {
  readonly token: (pod: Pod, audience: string | undefined, expirationSeconds: number) => Promise<string>;
  /** The pod is gone: so are its tokens. */
  readonly forget: (podUID: string) => void;
};
type Around = Surroundings & Pick<TokenSource, "token">;
type Content = Map<string, { readonly content: Uint8Array; readonly mode: number; readonly uid?: number }>;
type Item = { readonly key: string; readonly path: string; readonly mode?: number | undefined };

const utf8 = new TextEncoder();

/** Undefined for volumes that are not made of API data. */
export async function payloadOf(pod: Pod, volume: Volume, around: Around): Promise<Payload | undefined> {
  const payload: Content = new Map();
  if (volume.configMap) await addConfigMap(payload, pod, volume.configMap, volume.configMap.defaultMode ?? 0o644, around);
  else if (volume.secret) await addSecret(payload, pod, { ...volume.secret, name: volume.secret.secretName }, volume.secret.defaultMode ?? 0o644, around);
  else if (volume.downwardAPI) addDownward(payload, pod, volume.downwardAPI.items ?? [], volume.downwardAPI.defaultMode ?? 0o644, around);
  else if (volume.projected) await addProjected(payload, pod, volume.projected, around);
  else return undefined;
  return payload;
}

async function addProjected(payload: Content, pod: Pod, projected: NonNullable<Volume["projected"]>, around: Around): Promise<void> {
  const mode = projected.defaultMode ?? 0o644;
  for (const source of projected.sources ?? []) {
    if (source.configMap) await addConfigMap(payload, pod, source.configMap, mode, around);
    if (source.secret) await addSecret(payload, pod, source.secret, mode, around);
    if (source.downwardAPI) addDownward(payload, pod, source.downwardAPI.items ?? [], mode, around);
    if (source.serviceAccountToken) {
      const { audience, expirationSeconds, path } = source.serviceAccountToken;
      const user = sharedUser(pod);
      const own = user !== undefined || pod.spec.securityContext?.fsGroup !== undefined;
      payload.set(path, { content: utf8.encode(await around.token(pod, audience, expirationSeconds ?? 3600)), mode: own ? 0o600 : mode, ...(user !== undefined && { uid: user }) });
    }
    if (source.clusterTrustBundle) throw new VolumeError("clusterTrustBundle projections are not supported by this node");
    if (source.podCertificate) throw new VolumeError("podCertificate projections are not supported by this node");
  }
}

type Named = { readonly name?: string | undefined; readonly items?: readonly Item[] | undefined; readonly optional?: boolean | undefined };
async function addConfigMap(payload: Content, pod: Pod, { name = "", items, optional }: Named, mode: number, { references }: Around): Promise<void> {
  const found = await references.configMap(pod.metadata.namespace ?? "", name);
  if (!found && !optional) throw new VolumeError(`configmap "${name}" not found`);
  const data = new Map([
    ...Object.entries(found?.data ?? {}).map(([key, value]) => [key, utf8.encode(value)] as const), ...Object.entries(found?.binaryData ?? {}).map(([key, value]) => [key, bytesOf(value)] as const),
  ]);
  addItems(payload, data, items, mode, optional, "references non-existent config key");
}
async function addSecret(payload: Content, pod: Pod, { name = "", items, optional }: Named, mode: number, { references }: Around): Promise<void> {
  const found = await references.secret(pod.metadata.namespace ?? "", name);
  if (!found && !optional) throw new VolumeError(`secret "${name}" not found`);
  const data = new Map(Object.entries(found?.data ?? {}).map(([key, value]) => [key, bytesOf(value)] as const));
  addItems(payload, data, items, mode, optional, "references non-existent secret key");
}
function addItems(payload: Content, data: ReadonlyMap<string, Uint8Array>, items: readonly Item[] | undefined, mode: number, optional: boolean | undefined, missing: string): void {
  if (!items?.length) for (const [key, content] of data) payload.set(key, { content, mode });
  for (const item of items ?? []) {
    const content = data.get(item.key);
    if (content) payload.set(item.path, { content, mode: item.mode ?? mode });
    else if (!optional) throw new VolumeError(`${missing}: ${item.key}`);
  }
}

type DownwardItem = NonNullable<NonNullable<Volume["downwardAPI"]>["items"]>[number];
function addDownward(payload: Content, pod: Pod, items: readonly DownwardItem[], mode: number, around: Around): void {
  for (const { path, fieldRef, resourceFieldRef, mode: own } of items) {
    const container = resourceFieldRef && containerOf(pod, resourceFieldRef.containerName ?? "")?.container;
    if (resourceFieldRef && !container) throw new VolumeError(`container ${resourceFieldRef.containerName} not found`);
    const text = fieldRef ? podField(pod, fieldRef.fieldPath, around) : container ? resourceField(container, resourceFieldRef.resource, resourceFieldRef.divisor, around.allocatable) : "";
    payload.set(path, { content: utf8.encode(text), mode: own ?? mode });
  }
}

/** The user that all containers run as, if it is one and the same (pkg/volume/util: FsUserFrom). */
export function sharedUser(pod: Pod): number | undefined {
  const users = new Set([...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(container => container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser));
  const [only] = users;
  return users.size === 1 ? only : undefined;
}

/** The API objects that a volume shows. */
export function objectsOf(volume: Volume): readonly { readonly kind: "configMap" | "secret"; readonly name: string }[] {
  const sources = [{ configMap: volume.configMap, secret: volume.secret && { name: volume.secret.secretName } }, ...(volume.projected?.sources ?? [])];
  return sources.flatMap(({ configMap, secret }) => [
    ...(configMap ? [{ kind: "configMap", name: configMap.name ?? "" } as const] : []), ...(secret ? [{ kind: "secret", name: secret.name ?? "" } as const] : []),
  ]);
}
