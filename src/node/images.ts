/** Has a container's image ready: policy, secrets, back-off and upstream's events (pkg/kubelet/images, pkg/credentialprovider). */
import type { Clock } from "../base/clock.ts";
import { getOwn, isObject } from "../base/json.ts";
import { messageOf } from "../base/log.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { BackOff, goDuration } from "./back-off.ts";
import type { AnyContainer } from "./containers.ts";
import { bytesOf, type References } from "./references.ts";
import { registryOf } from "./registries.ts";
import type { ContainerRuntime, Credentials, ImageState, SandboxConfig } from "./runtime.ts";

/** Why the container waits; `reason` is what its status shows. */
export class ImageError extends Error {
  override name = "ImageError";
  readonly reason: "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "InvalidImageName" | "ImageInspectError";
  constructor(reason: ImageError["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

type Wanted = Pick<AnyContainer, "image" | "imagePullPolicy">;
type Tell = (type: "Normal" | "Warning", reason: string, message: string) => void;
const backOffFirstMs = 10_000;
const backOffMaxMs = 300_000;
/** Pulls at a time; more wait for their turn. */
export const pullsMax = 4;

export class Images {
  readonly #runtime: ContainerRuntime;
  readonly #references: References;
  readonly #clock: Clock;
  readonly #backOff: BackOff;
  readonly #lastError = new Map<string, string>();
  readonly #pulling = new Map<string, Promise<string>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  constructor(runtime: ContainerRuntime, references: References, clock: Clock) {
    this.#runtime = runtime;
    this.#references = references;
    this.#clock = clock;
    this.#backOff = new BackOff(clock, backOffFirstMs, backOffMaxMs);
  }

  /** Resolves to the image, present now; throws `ImageError` when it is not. */
  async ensure(pod: Pod, container: Wanted, sandbox: SandboxConfig, tell: Tell): Promise<ImageState> {
    const asked = container.image ?? "";
    const reference = withTag(asked);
    if (reference === undefined) {
      const message = `Failed to apply default image tag "${asked}": couldn't parse image name "${asked}": invalid reference format`;
      tell("Warning", "InspectFailed", message);
      throw new ImageError("InvalidImageName", message);
    }
    const policy = container.imagePullPolicy ?? "IfNotPresent";
    const present = policy === "Always" ? undefined : await this.#runtime.image(reference);
    if (present) {
      tell("Normal", "Pulled", `Container image "${asked}" already present on machine and can be accessed by the pod`);
      return present;
    }
    if (policy === "Never") {
      const message = `Container image "${asked}" is not present with pull policy of Never`;
      tell("Warning", "ErrImageNeverPull", message);
      throw new ImageError("ErrImageNeverPull", message);
    }
    return this.#pull(pod, asked, reference, sandbox, tell);
  }

  /** Milliseconds until a pull may be tried again. */
  retryAfterMs(pod: Pod, image: string): number {
    return this.#backOff.remainingMs(keyOf(pod, image));
  }
  forget(podUID: string): void {
    this.#backOff.forget(`${podUID}_`);
    for (const key of this.#lastError.keys()) if (key.startsWith(`${podUID}_`)) this.#lastError.delete(key);
  }

  async #pull(pod: Pod, asked: string, reference: string, sandbox: SandboxConfig, tell: Tell): Promise<ImageState> {
    const key = keyOf(pod, asked);
    if (this.#backOff.remainingMs(key) > 0) {
      const message = `Back-off pulling image "${asked}"`;
      tell("Normal", "BackOff", message);
      const last = this.#lastError.get(key);
      throw new ImageError("ImagePullBackOff", last === undefined ? message : `${message}: ErrImagePull: ${last}`);
    }
    const credentials = await this.#credentials(pod, reference, tell);
    tell("Normal", "Pulling", `Pulling image "${asked}"`);
    const began = this.#clock.monotonic();
    const timing = { startedAt: began };
    try {
      const id = await this.#once(reference, credentials, sandbox, timing);
      const image = await this.#runtime.image(reference);
      const ended = this.#clock.monotonic();
      const took = (from: number): string => goDuration(Math.round(ended - from));
      tell("Normal", "Pulled", `Successfully pulled image "${asked}" in ${took(timing.startedAt)} (${took(began)} including waiting). Image size: ${image?.size ?? 0} bytes.`);
      this.#backOff.forget(key);
      this.#lastError.delete(key);
      return image ?? { id, tags: [], digests: [], size: 0, pinned: false };
    } catch (error) {
      const message = messageOf(error);
      tell("Warning", "Failed", `Failed to pull image "${asked}": ${message}`);
      this.#backOff.next(key);
      this.#lastError.set(key, message);
      throw new ImageError("ErrImagePull", message);
    }
  }

  /** Pods that want the same image with the same credentials share one pull. */
  async #once(reference: string, credentials: readonly Credentials[], sandbox: SandboxConfig, timing: { startedAt: number }): Promise<string> {
    const key = JSON.stringify([reference, credentials]);
    const known = this.#pulling.get(key);
    if (known) return known;
    const pull = this.#turn(async () => {
      timing.startedAt = this.#clock.monotonic();
      let failure: unknown;
      for (const each of credentials.length > 0 ? credentials : [undefined])
        try {
          return await this.#runtime.pullImage(reference, each, sandbox);
        } catch (error) {
          failure = error;
        }
      throw failure;
    });
    this.#pulling.set(key, pull);
    try {
      return await pull;
    } finally {
      this.#pulling.delete(key);
    }
  }
  async #turn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= pullsMax) await new Promise<void>(resolve => this.#waiting.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  async #credentials(pod: Pod, reference: string, tell: Tell): Promise<readonly Credentials[]> {
    const missing: string[] = [];
    const found: { readonly registry: string; readonly credentials: Credentials }[] = [];
    for (const { name = "" } of pod.spec.imagePullSecrets ?? []) {
      const secret = await this.#references.secret(pod.metadata.namespace ?? "", name);
      if (!secret) missing.push(name);
      else found.push(...registryCredentials(secret.data ?? {}));
    }
    if (missing.length > 0) tell("Warning", "FailedToRetrieveImagePullSecret", `Unable to retrieve some image pull secrets (${missing.join(", ")}); attempting to pull the image may not succeed.`);
    return credentialsFor(reference, found);
  }
}

function keyOf(pod: Pod, image: string): string {
  return `${pod.metadata.uid}_${image}`;
}

/** The reference with `:latest` where neither tag nor digest is given; undefined when it is not a reference (distribution/reference). */
export function withTag(image: string): string | undefined {
  const [, name = "", tag, digest] = /^([^@]+?)(?::([A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/.exec(image) ?? [];
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const hasHost = first.includes(".") || first.includes(":") || first === "localhost" || first !== first.toLowerCase();
  const path = hasHost ? name.slice(slash + 1) : name;
  if (name === "" || name.length > 255 || (hasHost && !/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(:[0-9]+)?$/.test(first))) return undefined;
  if (!path.split("/").every(part => /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/.test(part))) return undefined;
  if (/^[a-f0-9]{64}$/.test(name)) return undefined;
  return tag === undefined && digest === undefined ? `${image}:latest` : image;
}

/** Both formats of pull secrets: kubernetes.io/dockerconfigjson and the older kubernetes.io/dockercfg. Damaged ones count for nothing, as upstream. */
export function registryCredentials(data: { readonly [key: string]: string }): readonly { readonly registry: string; readonly credentials: Credentials }[] {
  const config = parsed(getOwn(data, ".dockerconfigjson"))?.["auths"] ?? parsed(getOwn(data, ".dockercfg"));
  if (!isObject(config)) return [];
  return Object.entries(config).flatMap(([registry, entry]) => {
    if (!isObject(entry)) return [];
    const text = (name: string): string => (typeof entry[name] === "string" ? entry[name] : "");
    const [user = "", ...password] = text("auth") === "" ? [] : new TextDecoder().decode(bytesOf(text("auth"))).split(":");
    return [{ registry, credentials: { username: text("username") || user, password: text("password") || password.join(":"), ...(text("identitytoken") !== "" && { identityToken: text("identitytoken") }) } }];
  });
}
function parsed(base64: string | undefined): { readonly [key: string]: unknown } | undefined {
  if (base64 === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytesOf(base64)));
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Those whose registry (host with `*` labels, optional port and path) covers the image, most specific first. */
export function credentialsFor(reference: string, known: readonly { readonly registry: string; readonly credentials: Credentials }[]): readonly Credentials[] {
  const image = normalized(reference);
  return known.map(({ registry, credentials }) => ({ pattern: registry.replace(/^https?:\/\//, "").replace(/\/(v1|v2)?\/?$/, ""), credentials }))
    .filter(({ pattern }) => covers(pattern === "index.docker.io" ? "docker.io" : pattern, image))
    .sort((a, b) => b.pattern.length - a.pattern.length).map(({ credentials }) => credentials);
}
function normalized(reference: string): string {
  return reference.startsWith(`${registryOf(reference)}/`) ? reference : `docker.io/${reference}`;
}
function covers(pattern: string, image: string): boolean {
  const [patternHost = "", ...patternPath] = pattern.split("/");
  const [imageHost = "", ...imagePath] = image.split("/");
  const [patternName = "", patternPort] = patternHost.split(":");
  const [imageName = "", imagePort] = imageHost.split(":");
  if (patternPort !== imagePort) return false;
  const wanted = patternName.split(".");
  const labels = imageName.split(".");
  return wanted.length === labels.length && wanted.every((part, i) => labelMatches(part, labels[i]!)) && imagePath.join("/").startsWith(patternPath.join("/"));
}
/** One `*` at most in a label: upstream allows globs, nobody writes more. */
function labelMatches(pattern: string, label: string): boolean {
  const [head = "", ...tail] = pattern.split("*");
  return tail.length === 0 ? pattern === label : label.length >= head.length + tail.join("").length && label.startsWith(head) && label.endsWith(tail.at(-1) ?? "");
}
