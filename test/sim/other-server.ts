import type { FetchRemote } from "../../src/api/aggregation/remote.ts";
import type { User } from "../../src/api/context.ts";
import type { HttpRequest, HttpResponse } from "../../src/api/http.ts";
import { ApiServer } from "../../src/api/server.ts";
import { silent } from "../../src/base/log.ts";
import type { Random } from "../../src/base/random.ts";
import { Namespace } from "../../src/kinds/core/namespace.ts";
import { defineKind, type Resource } from "../../src/kinds/kind.ts";
import { LocalClient } from "../../src/main/local-client.ts";
import type { Asked, PassOn } from "../../src/main/local-transport.ts";
import { MemoryEngine } from "../../src/store/memory.ts";
import { RevisionedStore } from "../../src/store/revisioned-store.ts";
import type { VirtualClock } from "./clock.ts";

/** What the other server serves. */
export const Flunder = defineKind({ group: "wardle.example.com", version: "v1alpha1", kind: "Flunder", plural: "flunders", namespaced: true, definition: "wardle.Flunder", doc: "A thing of another server.", fields: {} });
export type Flunder = Resource<typeof Flunder>;

const admin: User = { name: "admin", uid: "", groups: ["system:masters"], extra: {} };

/** An API server of somebody else behind an APIService: a second one of ours, with a store of its own, that comes and goes. */
export class OtherServer {
  readonly api: ApiServer;
  readonly store: RevisionedStore;
  readonly client: LocalClient;
  /** Aborts when the server goes away; a new one when it comes back. */
  #life: AbortController | undefined = new AbortController();

  private constructor(store: RevisionedStore, clock: VirtualClock, random: Random) {
    this.store = store;
    this.api = new ApiServer({
      store, clock, random, kinds: [Namespace, Flunder], log: silent, freeze: true,
      authenticator: () => ({ authenticate: async ({ headers }) => ({ name: String(headers["x-remote-user"]), uid: "", groups: [], extra: {} }), reviewToken: async () => ({ authenticated: false }) }),
      authorizer: () => ({ authorize: () => ({ allowed: true }), rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }) }),
      parseYaml: () => { throw new Error("no YAML in the simulator"); }, sha512: () => new Uint8Array(64),
      build: { gitVersion: "v1.36.0", gitCommit: "", buildDate: "", platform: "", runtime: "" }, address: "other:0", fatal: error => { throw error; },
    });
    this.client = new LocalClient(this.api, { user: admin, userAgent: "test" });
  }
  static async start(clock: VirtualClock, random: Random, namespaces: readonly string[]): Promise<OtherServer> {
    const opened = RevisionedStore.open(new MemoryEngine(), { clock, log: silent, onFailure: () => undefined });
    const other = new OtherServer(await opened, clock, random);
    // Its own idea of namespaces, which nobody empties.
    for (const name of namespaces) void other.client.create(Namespace, { metadata: { name } });
    return other;
  }

  get isUp(): boolean { return this.#life !== undefined; }
  set isUp(up: boolean) {
    if (up) this.#life ??= new AbortController();
    else {
      this.#life?.abort();
      this.#life = undefined;
    }
  }
  flunders(): readonly Flunder[] {
    return this.store.list("/registry/wardle.example.com/flunders/").entries.map(entry => this.api.core.objects.object(entry) as Flunder);
  }

  readonly fetch: FetchRemote = async ({ path, headers }) => {
    const { status, headers: answered, content } = await this.#ask(path, headers, { method: "GET", signal: new AbortController().signal });
    return { status, headers: answered as { readonly [name: string]: string }, body: textOf(content) };
  };
  readonly passOn: PassOn = {
    whole: async (to, asked) => {
      const { status, content } = await this.#ask(to.target, to.headers, asked);
      return { status, body: textOf(content) };
    },
    lines: async (to, asked) => {
      const life = this.#life?.signal;
      const { status, content } = await this.#ask(to.target, to.headers, asked);
      return { status, lines: content.type === "stream" && life !== undefined ? linesOf(content.run, asked.signal, life) : [textOf(content)] as unknown as AsyncIterable<string> };
    },
  };

  async #ask(target: string, identity: HttpRequest["headers"] = {}, { method, headers, body = "", signal }: Asked): Promise<HttpResponse> {
    const life = this.#life?.signal;
    if (life === undefined) throw new Error("connection refused");
    const answer = await this.api.handle({ method, target, headers: { ...headers, ...identity }, body: async () => new TextEncoder().encode(body), peer: { address: "127.0.0.1" }, upgrade: false, signal });
    if (life.aborted) throw new Error("connection reset by peer");
    return answer;
  }
}

async function* linesOf(run: Extract<HttpResponse["content"], { readonly type: "stream" }>["run"], signal: AbortSignal, life: AbortSignal): AsyncGenerator<string> {
  const until = AbortSignal.any([signal, life]);
  let [text, over, wake] = ["", false, (): void => undefined];
  until.addEventListener("abort", () => wake(), { once: true });
  void run({ buffered: 0, drop() {}, write: chunk => { text += typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk); wake(); } }, until).finally(() => { over = true; wake(); });
  while (!until.aborted) {
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    yield* lines;
    if (over) return;
    if (!until.aborted && !text.includes("\n")) await new Promise<void>(resolve => (wake = resolve));
  }
  if (life.aborted) throw new Error("connection reset by peer");
}

function textOf(content: HttpResponse["content"]): string {
  switch (content.type) {
    case "text": return content.text;
    case "bytes": return new TextDecoder().decode(content.bytes);
    case "pieces": return [...content.pieces].join("");
    default: throw new Error(`a ${content.type} is no whole answer`);
  }
}
