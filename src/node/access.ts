/** Who may ask a node, and what: the API server decides, as kubelet's webhook modes have it (pkg/kubelet/server/auth.go). */
import type { Clock } from "../base/clock.ts";
import { sha256 } from "../base/sha256.ts";
import type { Client } from "../client/client.ts";
import { TokenReview } from "../kinds/authentication/tokenreview.ts";
import { SubjectAccessReview } from "../kinds/authorization/subjectaccessreview.ts";

export type NodeUser = { readonly username: string; readonly uid?: string; readonly groups: readonly string[]; readonly extra?: { readonly [key: string]: readonly string[] } };
/** Any of the subresources suffices. */
export type NodeAttributes = { readonly verb: string; readonly path: string; readonly subresources: readonly string[] };

export interface NodeAccess {
  /** The user behind an `Authorization` header; undefined when there is none. */
  authenticate(header: string | readonly string[] | undefined): Promise<NodeUser | undefined>;
  allowed(user: NodeUser, wanted: NodeAttributes): Promise<boolean>;
}

const verbs: { readonly [method: string]: string } = { POST: "create", GET: "get", PUT: "update", PATCH: "patch", DELETE: "delete" };
const fineGrained = { pods: "pods", healthz: "healthz", configz: "configz", runningpods: "pods" } as const;
const others = { stats: "stats", metrics: "metrics", logs: "log", checkpoint: "checkpoint", statusz: "statusz", flagz: "configz" } as const;

/** What of `nodes` a path is about. */
export function nodeAttributes(method: string, path: string): NodeAttributes {
  const first = path.split("/")[1] ?? "";
  const fine = Object.hasOwn(fineGrained, first) ? [fineGrained[first as keyof typeof fineGrained]] : [];
  return { verb: verbs[method] ?? "", path, subresources: [...fine, Object.hasOwn(others, first) ? others[first as keyof typeof others] : "proxy"] };
}

/** How long an answer of the API server is believed: kubelet's defaults for tokens, for yes and for no. */
export const tokenMs = 120_000;
export const allowedMs = 300_000;
export const deniedMs = 30_000;
/** Answers kept; the oldest go first. */
const answersMax = 1_000;

export class DelegatedAccess implements NodeAccess {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #nodeName: string;
  readonly #users = new Map<string, { readonly until: number; readonly user: NodeUser | undefined }>();
  readonly #decisions = new Map<string, { readonly until: number; readonly allowed: boolean }>();
  constructor(client: Client, clock: Clock, nodeName: string) {
    this.#client = client;
    this.#clock = clock;
    this.#nodeName = nodeName;
  }

  async authenticate(header: string | readonly string[] | undefined): Promise<NodeUser | undefined> {
    const [, token] = /^Bearer +([^ ]+) *$/i.exec(typeof header === "string" ? header : "") ?? [];
    if (token === undefined) return undefined;
    // Only a digest is kept: the token itself is nobody's to find in memory.
    const key = String.fromCharCode(...sha256(new TextEncoder().encode(token)));
    const known = this.#users.get(key);
    if (known !== undefined && known.until > this.#clock.monotonic()) return known.user;
    const { status } = await this.#client.create(TokenReview, { spec: { token } });
    const { authenticated, user: found } = status;
    const user = authenticated === true && found !== undefined ? { username: found.username ?? "", ...(found.uid === undefined ? {} : { uid: found.uid }), groups: found.groups ?? [], ...(found.extra === undefined ? {} : { extra: found.extra }) } : undefined;
    remember(this.#users, key, { until: this.#clock.monotonic() + tokenMs, user });
    return user;
  }

  async allowed(user: NodeUser, { verb, path, subresources }: NodeAttributes): Promise<boolean> {
    for (const subresource of subresources) {
      const key = JSON.stringify([user, verb, path, subresource]);
      const known = this.#decisions.get(key);
      let allowed = known !== undefined && known.until > this.#clock.monotonic() ? known.allowed : undefined;
      if (allowed === undefined) {
        const { username, uid, groups, extra } = user;
        const spec = { user: username, groups: [...groups], ...(uid === undefined ? {} : { uid }), ...(extra === undefined ? {} : { extra }), resourceAttributes: { verb, version: "v1", resource: "nodes", subresource, name: this.#nodeName } };
        ({ allowed } = (await this.#client.create(SubjectAccessReview, { spec })).status);
        remember(this.#decisions, key, { until: this.#clock.monotonic() + (allowed ? allowedMs : deniedMs), allowed });
      }
      if (allowed) return true;
    }
    return false;
  }
}

function remember<T>(answers: Map<string, T>, key: string, answer: T): void {
  answers.delete(key);
  answers.set(key, answer);
  for (const oldest of answers.keys()) {
    if (answers.size <= answersMax) return;
    answers.delete(oldest);
  }
}
