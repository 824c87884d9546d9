/** Rules of ConfigMaps and Secrets (kubernetes pkg/apis/core/validation ValidateConfigMap, ValidateSecret). */
import { sameJson } from "../../base/json.ts";
import { decodeBase64 } from "../../base/base64.ts";
import { byteLength, configMapKey } from "../../schema/grammar.ts";
import { forbidden, invalidValue, type Problem, required, tooLong } from "../../schema/problem.ts";

type Data = { readonly [key: string]: string };
const bytesMax = 1024 * 1024;
const base64Length = (text: string): number => (text.length / 4) * 3 - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);

export function configMapRules(next: { readonly data?: Data | undefined; readonly binaryData?: Data | undefined; readonly immutable?: boolean | undefined }, previous?: typeof next): readonly Problem[] {
  const problems: Problem[] = immutability(next, previous, ["data", "binaryData"]);
  const { data = {}, binaryData = {} } = next;
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    for (const detail of configMapKey(key)) problems.push(invalidValue(`data[${key}]`, key, detail));
    if (Object.hasOwn(binaryData, key)) problems.push(invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData"));
    size += byteLength(value);
  }
  for (const [key, value] of Object.entries(binaryData)) {
    for (const detail of configMapKey(key)) problems.push(invalidValue(`binaryData[${key}]`, key, detail));
    if (Object.hasOwn(data, key)) problems.push(invalidValue(`binaryData[${key}]`, key, "duplicate of key present in data"));
    size += base64Length(value);
  }
  if (size > bytesMax) problems.push(tooLong("[]", bytesMax));
  return problems;
}

function immutability<T extends { readonly immutable?: boolean | undefined }>(next: T, previous: T | undefined, fields: readonly (keyof T & string)[]): Problem[] {
  if (previous?.immutable !== true) return [];
  const text = "field is immutable when `immutable` is set";
  return [...(next.immutable === true ? [] : [forbidden("immutable", text)]), ...fields.filter(field => !sameJson(next[field], previous[field])).map(field => forbidden(field, text))];
}

type SecretLike = { readonly metadata: { readonly annotations?: Data | undefined }; readonly type: string; readonly data?: Data | undefined; readonly immutable?: boolean | undefined };
export function secretRules(next: SecretLike, previous?: SecretLike): readonly Problem[] {
  const problems: Problem[] = immutability(next, previous, ["data"]);
  const data = next.data ?? {};
  if (previous !== undefined && next.type !== previous.type) problems.push(invalidValue("type", next.type, "field is immutable"));
  let size = 0;
  for (const [key, value] of Object.entries(data)) {
    for (const detail of configMapKey(key)) problems.push(invalidValue(`data[${key}]`, key, detail));
    size += base64Length(value);
  }
  if (size > bytesMax) problems.push(tooLong("data", bytesMax));
  problems.push(...(typeRules.get(next.type)?.(data, next) ?? []));
  return problems;
}

const need = (...keys: readonly string[]) => (data: Data): readonly Problem[] => keys.filter(key => !Object.hasOwn(data, key)).map(key => required(`data[${key}]`));
const json = (key: string) => (data: Data): readonly Problem[] => {
  if (!Object.hasOwn(data, key)) return [required(`data[${key}]`)];
  try {
    JSON.parse(new TextDecoder().decode(decodeBase64(data[key]!)));
    return [];
  } catch (error) {
    return [invalidValue(`data[${key}]`, "<secret contents redacted>", error instanceof SyntaxError ? "invalid character looking for beginning of value" : String(error))];
  }
};
// A map: a type is any text, such as `constructor`.
const typeRules = new Map<string, (data: Data, secret: SecretLike) => readonly Problem[]>(Object.entries({
  "kubernetes.io/service-account-token": (_, { metadata }) => (metadata.annotations?.["kubernetes.io/service-account.name"] ? [] : [required("metadata.annotations[kubernetes.io/service-account.name]")]),
  "kubernetes.io/dockercfg": json(".dockercfg"),
  "kubernetes.io/dockerconfigjson": json(".dockerconfigjson"),
  "kubernetes.io/basic-auth": data => (Object.hasOwn(data, "username") || Object.hasOwn(data, "password") ? [] : [required("data[username]"), required("data[password]")]),
  "kubernetes.io/ssh-auth": data => (data["ssh-privatekey"] ? [] : [required("data[ssh-privatekey]")]),
  "kubernetes.io/tls": need("tls.crt", "tls.key"),
}));

/** What Go's tls.X509KeyPair says of a pair before it looks into it; what is inside is nobody's business here. */
export function* secretWarnings({ type, data = {} }: { readonly type: string; readonly data?: Data | undefined }): Iterable<string> {
  if (type !== "kubernetes.io/tls") return;
  const blocks = (key: string): readonly string[] => [...new TextDecoder().decode(decodeBase64(data[key] ?? "")).matchAll(/^-----BEGIN ([^-\n]{1,100})-----[ \t\r]*\n(?:[A-Za-z-]{1,50}: [^\n]*\n)*[^-]*^-----END \1-----[ \t\r]*$/gm)].map(([, name]) => name!);
  const list = (names: readonly string[]): string => `[${names.join(" ")}]`;
  const certificates = blocks("tls.crt"), keys = blocks("tls.key");
  const isKey = (name: string): boolean => name === "PRIVATE KEY" || name.endsWith(" PRIVATE KEY");
  if (!certificates.includes("CERTIFICATE")) {
    if (certificates.length === 0) yield "tls: failed to find any PEM data in certificate input";
    else if (certificates.length === 1 && certificates[0]!.endsWith("PRIVATE KEY")) yield "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched";
    else yield `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${list(certificates)}`;
  } else if (!keys.some(isKey)) {
    if (keys.length === 0) yield "tls: failed to find any PEM data in key input";
    else if (keys.length === 1 && keys[0] === "CERTIFICATE") yield "tls: found a certificate rather than a key in the PEM for the private key";
    else yield `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${list(keys)}`;
  }
}
