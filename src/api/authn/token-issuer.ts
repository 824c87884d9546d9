/** Issues service-account tokens (TokenRequest) and describes their keys to others (OIDC discovery). */
import type { Json, JsonObject } from "../../base/json.ts";
import { stringifyJson } from "../../base/json-codec.ts";
import type { Random } from "../../base/random.ts";
import { timeOf } from "../../base/time.ts";
import type { Problem } from "../../kinds/kind.ts";
import type { Reader, TokenIssuer } from "../context.ts";
import { badRequest, conflict, invalid, notFound } from "../errors.ts";
import { signJwt, type SigningKey } from "./jwt.ts";
import { legacyClaim, legacyIssuer } from "./legacy-token.ts";
import { issuer } from "./service-account-token.ts";

export type IssuerOptions = {
  readonly keys: () => readonly [SigningKey, ...SigningKey[]];
  readonly now: () => number;
  readonly random: Random;
  /** `host:port` where the keys can be read. */
  readonly address: string;
  /** What a token is for when its request does not say. */
  readonly audiences: readonly string[];
};

const secondsMin = 600;
const secondsMax = 2 ** 32;
/** A pod's token for the API server itself, asked for with kubelet's own lifetime, is good for a year, for programs that never read it again (pkg/serviceaccount/claims.go). */
const [extendedSeconds, extendedTo] = [3_607, 365 * 86_400];

export function createTokenIssuer(options: IssuerOptions): TokenIssuer {
  return {
    async issue(account, request, read) {
      const spec = request["spec"] as TokenSpec;
      const problems = [...problemsOf(spec)];
      if (problems.length > 0) throw invalid({ group: "authentication.k8s.io", kind: "TokenRequest" }, "", problems);
      const bound = boundObject(spec, account, read);
      const audiences = spec.audiences === undefined || spec.audiences.length === 0 ? options.audiences : spec.audiences;
      const now = Math.floor(options.now() / 1000);
      const exp = now + spec.expirationSeconds;
      const id = options.random.uuid();
      const isExtended = "pod" in bound && spec.expirationSeconds === extendedSeconds && audiences.every(audience => options.audiences.includes(audience));
      // Keys in the order in which Go writes a map: by name.
      const token = signJwt({
        aud: audiences, exp: isExtended ? now + extendedTo : exp, iat: now, iss: issuer, jti: id,
        "kubernetes.io": { namespace: account.namespace, ...bound, serviceaccount: { name: account.name, uid: account.uid }, ...(isExtended ? { warnafter: exp } : {}) },
        nbf: now, sub: `system:serviceaccount:${account.namespace}:${account.name}`,
      }, options.keys()[0]);
      return {
        id,
        request: {
          ...request,
          metadata: { ...(request["metadata"] as JsonObject), creationTimestamp: timeOf(options.now()) },
          spec: { ...(request["spec"] as JsonObject), audiences },
          status: { expirationTimestamp: timeOf(exp * 1000), token },
        },
      };
    },
    legacy(account, secret) {
      const claims = { namespace: account.namespace, "secret.name": secret, "service-account.name": account.name, "service-account.uid": account.uid };
      return signJwt({ iss: legacyIssuer, ...Object.fromEntries(Object.entries(claims).map(([name, value]) => [legacyClaim + name, value])), sub: `system:serviceaccount:${account.namespace}:${account.name}` }, options.keys()[0]);
    },
    configuration() {
      return stringifyJson({
        issuer, jwks_uri: `https://${options.address}/openid/v1/jwks`, response_types_supported: ["id_token"], subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: [...new Set(options.keys().map(key => key.alg))].sort(),
      });
    },
    keys() {
      return stringifyJson({ keys: options.keys().map(key => key.jwk) });
    },
  };
}

type TokenSpec = {
  readonly audiences?: readonly string[];
  readonly expirationSeconds: number;
  readonly boundObjectRef?: { readonly apiVersion?: string; readonly kind?: string; readonly name?: string; readonly uid?: string };
};

/** pkg/apis/authentication/validation/validation.go */
function* problemsOf({ expirationSeconds }: TokenSpec): Iterable<Problem> {
  const field = "spec.expirationSeconds";
  if (expirationSeconds < secondsMin) yield { field, reason: "Invalid", value: expirationSeconds, detail: "may not specify a duration less than 10 minutes" };
  if (expirationSeconds > secondsMax) yield { field, reason: "Invalid", value: expirationSeconds, detail: "may not specify a duration larger than 2^32 seconds" };
}

/** The claims of the object that the token is to die with (pkg/registry/core/serviceaccount/storage/token.go). */
function boundObject({ boundObjectRef: reference }: TokenSpec, account: { readonly namespace: string; readonly name: string }, read: Reader): { readonly [kind: string]: Json } {
  if (reference === undefined) return {};
  const { apiVersion = "", kind = "", name = "", uid = "" } = reference;
  // Whatever its version says.
  const resource = apiVersion.includes("/") ? undefined : boundResources.get(kind);
  if (resource === undefined) throw badRequest(`cannot bind token to object of type ${typeText(apiVersion, kind)}`);
  if (name === "") throw badRequest("Name parameter required.");
  const object = read.get("", resource, kind === "Node" ? "" : account.namespace, name);
  if (object === undefined) throw notFound({ group: "", resource }, name);
  if (kind === "Pod" && object.spec.serviceAccountName !== account.name)
    throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account.name)} to pod running with different serviceaccount name.`);
  if (uid !== "" && uid !== object.metadata.uid)
    throw conflict({ group: "", resource: kind }, name, `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`);
  const claim = { name, uid: object.metadata.uid };
  if (kind !== "Pod" || (object.spec.nodeName ?? "") === "") return { [kind.toLowerCase()]: claim };
  const node = read.get("", "nodes", "", object.spec.nodeName);
  return { node: { name: object.spec.nodeName, ...(node === undefined ? {} : { uid: node.metadata.uid }) }, pod: claim };
}
const boundResources: ReadonlyMap<string, string> = new Map([["Pod", "pods"], ["Secret", "secrets"], ["Node", "nodes"]]);

/** Go's GroupVersionKind.String(). */
function typeText(apiVersion: string, kind: string): string {
  const [group, version] = apiVersion.includes("/") ? apiVersion.split("/", 2) : ["", apiVersion];
  return `${group}/${version}, Kind=${kind}`;
}
