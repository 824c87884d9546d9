/** An issuer's keys: found by discovery when its first token comes, fetched again when a token names one that is not known. */
import type { Clock } from "../../../base/clock.ts";
import { getOwn, isObject, type JsonObject } from "../../../base/json.ts";
import { parseJson } from "../../../base/json-codec.ts";
import { messageOf } from "../../../base/log.ts";
import type { JwtAuthenticator } from "./config.ts";

/** GET over HTTPS; redirects are not followed. `ca`: PEM, absent: the system's. Rejects with an Error that says why. */
export type FetchText = (call: { readonly url: string; readonly ca?: string; readonly timeoutMs: number; readonly bytesMax: number }) => Promise<{ readonly status: number; readonly body: string }>;

/** One key of an issuer. `algorithms`: those that it may be used with. */
export type IssuerKey = { readonly kid: string; readonly algorithms: ReadonlySet<string>; verify(algorithm: string, input: string, signature: Uint8Array): boolean };
/** `undefined`: not a key for signatures, or of a sort that is not taken. */
export type ReadJwk = (jwk: JsonObject) => IssuerKey | undefined;

const timeoutMs = 30_000;
const bytesMax = 1024 * 1024;
const keysMax = 100;
/** At most one fetch in this time, whatever tokens come: nobody makes us flood their issuer. */
const fetchEveryMs = 10_000;

export class Issuer {
  readonly #config: JwtAuthenticator["issuer"];
  readonly #fetch: FetchText;
  readonly #readJwk: ReadJwk;
  readonly #clock: Clock;
  #keys: readonly IssuerKey[] | undefined;
  #keysUrl: string | undefined;
  #fetching: Promise<void> | undefined;
  #fetchedMs = -Infinity;
  #problem = "";

  constructor(config: JwtAuthenticator["issuer"], options: { readonly fetch: FetchText; readonly readJwk: ReadJwk; readonly clock: Clock }) {
    this.#config = config;
    [this.#fetch, this.#readJwk, this.#clock] = [options.fetch, options.readJwk, options.clock];
  }

  get url(): string { return this.#config.url; }

  /** Keys that a token naming `kid` may be signed with; all of them when it names none. Throws an `Error` while there are no keys at all. */
  async keys(kid: string | undefined): Promise<readonly IssuerKey[]> {
    const known = this.#matching(kid);
    if (known.length > 0) return known;
    await this.#refresh();
    if (this.#keys === undefined) throw new Error(`oidc: authenticator not initialized${this.#problem === "" ? "" : `: ${this.#problem}`}`);
    return this.#matching(kid);
  }

  #matching(kid: string | undefined): readonly IssuerKey[] {
    return (this.#keys ?? []).filter(key => kid === undefined || key.kid === kid);
  }

  #refresh(): Promise<void> {
    if (this.#fetching !== undefined) return this.#fetching;
    if (this.#clock.monotonic() - this.#fetchedMs < fetchEveryMs) return Promise.resolve();
    this.#fetching = this.#load().then(() => { this.#problem = ""; }, (error: unknown) => { this.#problem = messageOf(error); }).finally(() => {
      this.#fetching = undefined;
      this.#fetchedMs = this.#clock.monotonic();
    });
    return this.#fetching;
  }

  async #load(): Promise<void> {
    this.#keysUrl ??= await this.#discover();
    const set = await this.#get(this.#keysUrl);
    const keys = getOwn(set, "keys");
    if (!Array.isArray(keys) || keys.length > keysMax) throw new Error(`${this.#keysUrl}: expected a list of at most ${keysMax} keys`);
    this.#keys = keys.filter(isObject).map(this.#readJwk).filter(key => key !== undefined);
  }

  async #discover(): Promise<string> {
    const { url, discoveryURL } = this.#config;
    const document = await this.#get(discoveryURL ?? `${url.replace(/\/$/, "")}/.well-known/openid-configuration`);
    const issuer = getOwn(document, "issuer");
    if (issuer !== url) throw new Error(`oidc: issuer did not match the issuer returned by provider, expected ${JSON.stringify(url)} got ${JSON.stringify(issuer)}`);
    const keysUrl = getOwn(document, "jwks_uri");
    if (typeof keysUrl !== "string" || keysUrl === "") throw new Error("provider did not return JWKS URL");
    if (!/^https:\/\/[^/?#@\s]+([/?][^\s#]*)?$/.test(keysUrl)) throw new Error(`jwks_uri ${JSON.stringify(keysUrl)}: expected an https URL`);
    return keysUrl;
  }

  async #get(url: string): Promise<JsonObject> {
    const ca = this.#config.certificateAuthority;
    const { status, body } = await this.#fetch({ url, timeoutMs, bytesMax, ...(ca === undefined ? {} : { ca }) });
    if (status !== 200) throw new Error(`${url}: answered ${status}`);
    const { value } = parseJson(body);
    if (!isObject(value)) throw new Error(`${url}: expected a JSON object`);
    return value;
  }
}
