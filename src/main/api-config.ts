/** The files with which an administrator configures the API server (docs/guide/api-config.md). Without a folder nothing of this is loaded. */
import { readFile, readdir } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { issuer } from "../api/authn/service-account-token.ts";
import type { TokenJudge } from "../api/authn/token-chain.ts";
import type { Authentication } from "../api/authn/oidc/load.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/log.ts";

const authenticationFile = "authentication.yaml";
const tokenWebhookFile = "token-webhook.kubeconfig";
const files: readonly string[] = [authenticationFile, tokenWebhookFile];

export type ApiConfig = {
  /** Judges of tokens besides our own. */
  readonly tokens: readonly TokenJudge[];
  readonly anonymous?: Authentication["anonymous"];
};

/** Reads the folder once, at start. Throws an `Error` that names the file, the field and what was expected. */
export async function loadApiConfig(folder: string | undefined, clock: Clock): Promise<ApiConfig> {
  if (folder === undefined) return { tokens: [] };
  const present = await readdir(folder).catch((error: unknown) => {
    throw new Error(`${folder} (--api-config): ${messageOf(error)}`, { cause: error });
  });
  const stray = present.find(name => /\.(yaml|yml|json|kubeconfig)$/.test(name) && !files.includes(name));
  if (stray !== undefined) throw new Error(`${join(folder, stray)}: not a file that is read: expected ${files.join(", ")}`);
  const [authentication, webhook] = await Promise.all([
    present.includes(authenticationFile) ? within(folder, authenticationFile, path => authenticationOf(path, clock)) : undefined,
    present.includes(tokenWebhookFile) ? within(folder, tokenWebhookFile, path => webhookJudge(path, folder, clock)) : undefined,
  ]);
  const issued = authentication?.tokens;
  return {
    tokens: [...(issued === undefined ? [] : [(token: string) => (issued.isOurs(token) ? issued.review(token) : { authenticated: false as const })]), ...(webhook === undefined ? [] : [webhook])],
    ...(authentication?.anonymous === undefined ? {} : { anonymous: authentication.anonymous }),
  };
}

async function within<T>(folder: string, name: string, read: (path: string) => Promise<T>): Promise<T> {
  const path = join(folder, name);
  try {
    return await read(path);
  } catch (error) {
    throw new Error(`${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function authenticationOf(path: string, clock: Clock): Promise<Authentication> {
  const [{ parseYaml }, { loadAuthentication }, { celHost }, { fetchText, readJwk }] = await Promise.all([import("../host/yaml.ts"), import("../api/authn/oidc/load.ts"), import("../host/regex.ts"), import("../host/token-issuers.ts")]);
  const { value, duplicates } = parseYaml(await readFile(path, "utf8"));
  return loadAuthentication(value, duplicates, { clock, fetch: fetchText, readJwk, celHost, disallowed: [issuer] });
}

async function webhookJudge(path: string, folder: string, clock: Clock): Promise<TokenJudge> {
  const [{ parseYaml }, { webhookOf }, { TokenWebhook }] = await Promise.all([import("../host/yaml.ts"), import("../host/token-issuers.ts"), import("../api/authn/token-webhook.ts")]);
  const post = await webhookOf(parseYaml(await readFile(path, "utf8")).value, named => readFile(isAbsolute(named) ? named : join(folder, named), "utf8"));
  const webhook = new TokenWebhook(post, clock);
  return async (token, audiences) => {
    try {
      return await webhook.review(token, audiences);
    } catch (error) {
      return { authenticated: false, error: `[invalid bearer token, ${messageOf(error)}]` };
    }
  };
}
