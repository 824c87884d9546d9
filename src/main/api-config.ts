/** The files with which an administrator configures the API server (docs/guide/api-config.md). Without a folder nothing of this is loaded. */
import { readFile, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { issuer } from "../api/authn/service-account-token.ts";
import type { TokenJudge } from "../api/authn/token-chain.ts";
import type { Authentication } from "../api/authn/oidc/load.ts";
import type { Authorization } from "../api/authz/webhook/load.ts";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { messageOf, type Log } from "../base/log.ts";
import type { AuditPolicy } from "../api/audit/policy.ts";
import type { AuditWebhook } from "../api/audit/webhook.ts";
import type { PostReview } from "../api/ask-review.ts";

const authenticationFile = "authentication.yaml";
const tokenWebhookFile = "token-webhook.kubeconfig";
const authorizationFile = "authorization.yaml";
const auditPolicyFile = "audit-policy.yaml";
const auditWebhookFile = "audit-webhook.kubeconfig";
/** The files, by upstream's flags for them. */
const fileOf = { "authentication-config": authenticationFile, "authorization-config": authorizationFile, "authentication-token-webhook-config-file": tokenWebhookFile, "audit-policy-file": auditPolicyFile, "audit-webhook-config-file": auditWebhookFile };
const files: readonly string[] = Object.values(fileOf);

/** Kept to a server that judges requests: it is asked about most. */
const authorizationConnections = 64;

export type ApiConfig = {
  /** Judges of tokens besides our own. */
  readonly tokens: readonly TokenJudge[];
  readonly anonymous?: Authentication["anonymous"];
  /** Who judges requests, in order. */
  readonly authorization?: Authorization["order"];
  readonly auditPolicy?: AuditPolicy;
  /** A second place for audit events. */
  readonly auditWebhook?: AuditWebhook;
  /** Paths of the files that are there. */
  readonly flags: Readonly<Record<string, string>>;
};

/** Reads the folder once, at start. Throws an `Error` that names the file, the field and what was expected. */
export async function loadApiConfig(folder: string | undefined, clock: Clock, random: Random, log: Log): Promise<ApiConfig> {
  if (folder === undefined) return { tokens: [], flags: {} };
  const present = await readdir(folder).catch((error: unknown) => {
    throw new Error(`${folder} (--api-config)`, { cause: error });
  });
  const authorization = present.includes(authorizationFile) ? await within(folder, authorizationFile, path => authorizationOf(path, folder, clock, random, log.child("authorization"))) : undefined;
  const named = (authorization?.files ?? []).map(file => resolve(folder, file));
  const stray = present.find(name => /\.(yaml|yml|json|kubeconfig)$/.test(name) && !files.includes(name) && !named.includes(resolve(folder, name)));
  if (stray !== undefined) throw new Error(`${join(folder, stray)}: not a file that is read: expected ${files.join(", ")}`);
  if (present.includes(auditWebhookFile) && !present.includes(auditPolicyFile)) throw new Error(`${join(folder, auditWebhookFile)}: needs ${auditPolicyFile} beside it`);
  const [authentication, webhook, auditPolicy, auditWebhook] = await Promise.all([
    present.includes(authenticationFile) ? within(folder, authenticationFile, path => authenticationOf(path, clock)) : undefined,
    present.includes(tokenWebhookFile) ? within(folder, tokenWebhookFile, path => webhookJudge(path, folder, clock, random)) : undefined,
    present.includes(auditPolicyFile) ? within(folder, auditPolicyFile, auditPolicyOf) : undefined,
    present.includes(auditWebhookFile) ? within(folder, auditWebhookFile, async path => new (await import("../api/audit/webhook.ts")).AuditWebhook(await postOf(path, folder), clock, log.child("audit-webhook"))) : undefined,
  ]);
  const issued = authentication?.tokens;
  return {
    flags: Object.fromEntries(Object.entries(fileOf).filter(([, name]) => present.includes(name)).map(([flag, name]) => [flag, join(folder, name)])),
    tokens: [...(issued === undefined ? [] : [(token: string, audiences: readonly string[]) => (audiences.includes(issuer) && issued.isOurs(token) ? issued.review(token) : { authenticated: false as const })]), ...(webhook === undefined ? [] : [webhook])],
    ...(authentication?.anonymous === undefined ? {} : { anonymous: authentication.anonymous }),
    ...(authorization === undefined ? {} : { authorization: authorization.order }), ...(auditPolicy === undefined ? {} : { auditPolicy }), ...(auditWebhook === undefined ? {} : { auditWebhook }),
  };
}

async function within<T>(folder: string, name: string, read: (path: string) => Promise<T>): Promise<T> {
  const path = join(folder, name);
  try {
    return await read(path);
  } catch (error) {
    throw new Error(path, { cause: error });
  }
}

async function authenticationOf(path: string, clock: Clock): Promise<Authentication> {
  const [{ parseYaml }, { loadAuthentication }, { celHost }, { fetchText, isAuthority, readJwk }] = await Promise.all([import("../host/yaml.ts"), import("../api/authn/oidc/load.ts"), import("../host/regex.ts"), import("../host/token-issuers.ts")]);
  const { value, duplicates } = parseYaml(await readFile(path, "utf8"));
  return loadAuthentication(value, duplicates, { clock, fetch: fetchText, readJwk, celHost, isAuthority, disallowed: [issuer] });
}

async function authorizationOf(path: string, folder: string, clock: Clock, random: Random, log: Log): Promise<Authorization> {
  const [{ parseYaml }, { loadAuthorization }, { celHost }] = await Promise.all([import("../host/yaml.ts"), import("../api/authz/webhook/load.ts"), import("../host/regex.ts")]);
  const { value, duplicates } = parseYaml(await readFile(path, "utf8"));
  return loadAuthorization(value, duplicates, { clock, random, log, celHost, connect: file => postOf(resolve(folder, file), folder, authorizationConnections) });
}

async function auditPolicyOf(path: string): Promise<AuditPolicy> {
  const [{ parseYaml }, { loadAuditPolicy }] = await Promise.all([import("../host/yaml.ts"), import("../api/audit/policy.ts")]);
  const { value, duplicates } = parseYaml(await readFile(path, "utf8"));
  return loadAuditPolicy(value, duplicates);
}

/** The server that a kubeconfig names; its files are relative to the folder. */
async function postOf(path: string, folder: string, connections = 0): Promise<PostReview> {
  const [{ parseYaml }, { webhookOf }] = await Promise.all([import("../host/yaml.ts"), import("../host/token-issuers.ts")]);
  return webhookOf(parseYaml(await readFile(path, "utf8")).value, named => readFile(resolve(folder, named), "utf8"), connections);
}

async function webhookJudge(path: string, folder: string, clock: Clock, random: Random): Promise<TokenJudge> {
  const { TokenWebhook } = await import("../api/authn/token-webhook.ts");
  const webhook = new TokenWebhook({ post: await postOf(path, folder), clock, random }, [issuer]);
  return async (token, audiences) => {
    try {
      return await webhook.review(token, audiences);
    } catch (error) {
      return { authenticated: false, error: `[invalid bearer token, ${messageOf(error)}]` };
    }
  };
}
