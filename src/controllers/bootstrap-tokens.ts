/** What upstream's controller manager does for machines that join by bootstrap tokens (pkg/controller/bootstrap): tokens that have expired go, and `cluster-info` is signed with those that are good. */
import { decodeBase64 } from "../base/base64.ts";
import { sameJson } from "../base/json.ts";
import { msOf } from "../base/time.ts";
import { ConfigMap } from "../kinds/core/configmap.ts";
import { Secret } from "../kinds/core/secret.ts";
import type { Controller } from "./controller.ts";

const secretType = "bootstrap.kubernetes.io/token";
const secretNamespace = "kube-system";
const signed = { namespace: "kube-public", name: "cluster-info" } as const;
const signedKey = `${signed.namespace}/${signed.name}`;
const signaturePrefix = "jws-kubeconfig-";

/** Signs a text with a token: a JSON web signature without its content. */
export type SignWithToken = (content: string, id: string, secret: string) => string;

export const tokenCleaner: Controller = {
  name: "token-cleaner",
  account: "token-cleaner",
  reconciles: Secret,
  watches: [],

  async reconcile(key, context) {
    const secret = context.read(Secret).get(key);
    const left = secret === undefined || !isToken(secret) ? undefined : timeLeft(secret, context.clock.now());
    if (secret === undefined || left === undefined) return undefined;
    if (left > 0) return { after: left };
    // The copy may be old: the token may have just been given more time.
    const fresh = await context.live(Secret, secretNamespace, secret.metadata.name);
    if (fresh === undefined || fresh.metadata.uid !== secret.metadata.uid || (timeLeft(fresh, context.clock.now()) ?? 1) > 0) return undefined;
    await context.delete(Secret, fresh, { preconditions: { resourceVersion: fresh.metadata.resourceVersion } });
    return undefined;
  },
};

/** `cluster-info` is whoever's who wants machines to join; without it there is nothing to do. */
export const bootstrapSigner: Controller = {
  name: "bootstrap-signer",
  account: "bootstrap-signer",
  reconciles: ConfigMap,
  watches: [{ kind: Secret, keysOf: (secret: Secret) => (isToken(secret) ? [signedKey] : []) }],

  async reconcile(key, context) {
    const sign = context.settings.signWithToken;
    const map = key === signedKey && sign !== undefined ? context.read(ConfigMap).get(key) : undefined;
    if (map === undefined || sign === undefined) return undefined;
    const secrets = context.read(Secret).list().filter(isToken), now = context.clock.now();
    const data = planSignatures(map.data ?? {}, secrets, now, sign);
    if (data !== undefined) await context.update(ConfigMap, { ...map, data });
    // A token that expires does not sign any more, whoever deletes it.
    const next = Math.min(...secrets.map(secret => timeLeft(secret, now) ?? Infinity).filter(left => left > 0));
    return next === Infinity ? undefined : { after: next };
  },
};

/** The map's data with the signatures of all good tokens and no others; `undefined` if nothing is to be changed. */
export function planSignatures(data: { readonly [key: string]: string }, secrets: readonly Secret[], now: number, sign: SignWithToken): { readonly [key: string]: string } | undefined {
  const content = data["kubeconfig"];
  if (content === undefined) return undefined;
  const rest = Object.entries(data).filter(([key]) => !key.startsWith(signaturePrefix));
  const signatures = secrets.flatMap(secret => {
    const [id, token] = [field(secret, "token-id"), field(secret, "token-secret")];
    const isGood = id !== "" && token !== "" && /^bootstrap-token-[a-z0-9]{6}$/.test(secret.metadata.name) && secret.metadata.name.endsWith(`-${id}`)
      && field(secret, "usage-bootstrap-signing") === "true" && (timeLeft(secret, now) ?? 1) > 0;
    return isGood ? [[`${signaturePrefix}${id}`, sign(content, id, token)] as const] : [];
  });
  const next = Object.fromEntries([...rest, ...signatures]);
  return sameJson(next, data) ? undefined : next;
}

const isToken = ({ type, metadata }: Secret): boolean => type === secretType && metadata.namespace === secretNamespace;
const field = ({ data }: Secret, name: string): string => new TextDecoder().decode(decodeBase64(data?.[name] ?? "") ?? new Uint8Array());

/** Milliseconds until it expires; 0 if it has, or if nobody knows; `undefined` if it never does. */
export function timeLeft(secret: Secret, now: number): number | undefined {
  const text = field(secret, "expiration");
  if (text === "") return undefined;
  const at = msOf(text);
  return Number.isNaN(at) ? 0 : Math.max(0, at - now);
}
