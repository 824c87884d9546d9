import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect, type ClientHttp2Session } from "node:http2";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { Ledger, type Found } from "./ledger.ts";
import { afterLoad, type LoopOptions, type LoopResult } from "./store-loop.ts";

const root = new URL("../../", import.meta.url).pathname;
const writers = 8;
const logCharsMax = 4_000;
// A machine that does ten other things starts a process slowly; what is slow for another reason shows in `readyMs`.
const readyMsMax = 60_000;
const attemptMsMax = 5_000;
const path = "/api/v1/namespaces/default/configmaps";
type Credentials = { readonly server: string; readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };

/** P01 through the API: a real server process is killed at random moments while eight clients write over TLS; what was acknowledged must be there when it is back. */
export async function killApiLoop(options: LoopOptions): Promise<LoopResult> {
  const home = mkdtempSync(join(tmpdir(), "timonier-kill-"));
  const env = { ...process.env, TIMONIER_NAME: `kill-${process.pid}`, TIMONIER_DATA_DIR: home, KUBECONFIG: join(home, "kubeconfig") };
  const timonier = (...args: readonly string[]) => { execFileSync(join(root, "timonier"), args, { env, stdio: ["ignore", "ignore", "inherit"] }); };
  const ledger = new Ledger();
  const problems: string[] = [];
  const readyMs: number[] = [];
  let loadMs = 0, due = 0;
  try {
    // Ports of its own: while the server is dead another cluster may look for free ones.
    const port = 20_000 + 2 * (process.pid % 5_000);
    timonier("up", "--runtime", "simulated", "--nodes", "1", "--port", String(port), "--node-port", String(port + 1));
    // From here on the server is ours to start and kill, as it was started but without its keeper.
    const [command = "", ...args] = commandOf(home);
    timonier("down");
    const credentials = credentialsOf(readFileSync(join(home, "kubeconfig"), "utf8"));
    for (let cycle = 0; cycle < options.cycles; cycle++) {
      const started = performance.now();
      const server = spawn(command, args, { env, stdio: ["ignore", "pipe", "inherit"] });
      let said = "";
      server.stdout.setEncoding("utf8").on("data", (text: string) => { said = (said + text).slice(-logCharsMax); });
      try {
        const client = await Client.ready(credentials, server);
        readyMs.push(performance.now() - started);
        options.onCycle?.(cycle, performance.now() - started);
        const listed = await client.list();
        problems.push(...ledger.check(listed.found, listed.revision).map(problem => `cycle ${cycle}: ${problem}`));
        const began = performance.now();
        const lifeMs = 300 + options.random() * 700, writesMin = Math.ceil(lifeMs / 1_000 * (options.perSecondMin ?? 0));
        due += writesMin;
        problems.push(...(await loadAndKill(client, server, cycle, lifeMs, writesMin, ledger)).map(problem => `cycle ${cycle}: ${problem}`));
        loadMs += performance.now() - began;
        client.close();
      } catch (error) {
        throw new Error(`cycle ${cycle}, server ${server.exitCode ?? server.signalCode ?? "running"}: ${said}`, { cause: error });
      } finally {
        if (server.exitCode === null && server.signalCode === null) server.kill("SIGKILL");
      }
    }
  } finally {
    timonier("delete");
    rmSync(home, { recursive: true, force: true });
  }
  return { due, cycles: options.cycles, acknowledged: ledger.acknowledged, writesPerSecond: Math.round((ledger.acknowledged / loadMs) * 1_000), readyMs: readyMs.sort((a, b) => a - b), problems };
}

/** How the cluster's server was started: its bundle stays the same when the sources change under a long run. */
function commandOf(home: string): string[] {
  for (const pid of readdirSync("/proc").filter(name => /^\d+$/.test(name))) {
    let words: string[];
    try {
      words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
    } catch {
      // It ended meanwhile.
      continue;
    }
    if (words.includes("server") && words.some(word => word.startsWith(home)) && words[0] !== "/bin/sh") return words;
  }
  throw new Error("the server does not run");
}

async function loadAndKill(client: Client, server: ChildProcess, cycle: number, loadMs: number, writesMin: number, ledger: Ledger): Promise<string[]> {
  const problems: string[] = [];
  const exit = once(server, "exit") as Promise<[number | null, string | null]>;
  const before = ledger.acknowledged;
  let alive = true;
  const write = async (writer: number) => {
    const versions = new Map<string, number>();
    for (let n = 0; alive; n++) {
      const name = `w${writer}-${n % 7}`;
      const id = `${cycle}.${writer}.${n}`;
      ledger.begin(name, id);
      try {
        const version = versions.get(name);
        const answer = await client.put(name, id, version);
        if (answer.status === 200 || answer.status === 201) {
          versions.set(name, answer.revision);
          const problem = ledger.acknowledge(name, id, answer.revision);
          if (problem !== undefined) problems.push(problem);
        } else {
          ledger.refuse(name, id);
          if (answer.status === 409) versions.set(name, await client.version(name));
          else problems.push(`${name}=${id} got ${answer.status} ${answer.text.slice(0, 200)}`);
        }
      } catch {
        // The connection is gone: nobody knows whether that write was made.
        return;
      }
    }
  };
  const writing = Array.from({ length: writers }, (_, writer) => write(writer));
  const stop = afterLoad(loadMs, () => ledger.acknowledged - before >= writesMin, () => {
    alive = false;
    server.kill("SIGKILL");
  });
  const [code, signal] = await exit;
  stop();
  if (signal !== "SIGKILL") problems.push(`the server ended by itself with ${code ?? signal}`);
  client.close();
  await Promise.all(writing);
  return problems;
}

/** Tells a server that waits from one that works, and both from one that is not let on. */
function processorSeconds(pid: number | undefined): string {
  try {
    const [user = 0, system = 0] = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ").slice(11, 13).map(Number);
    return ((user + system) / 100).toFixed(1);
  } catch {
    // It ended in this very moment.
    return "?";
  }
}

function credentialsOf(kubeconfig: string): Credentials {
  const field = (name: string) => new RegExp(`${name}: (\\S+)`).exec(kubeconfig)?.[1] ?? "";
  const data = (name: string) => Buffer.from(field(name), "base64");
  return { server: field("server"), ca: data("certificate-authority-data"), cert: data("client-certificate-data"), key: data("client-key-data") };
}

class Client {
  readonly #session: ClientHttp2Session;

  constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  /** Once the server answers and the namespace is there. */
  static async ready({ server, ca, cert, key }: Credentials, process: ChildProcess): Promise<Client> {
    for (const deadline = performance.now() + readyMsMax; performance.now() < deadline && process.exitCode === null; ) {
      const session = connect(server, { ca, cert, key });
      session.on("error", () => session.destroy());
      // A connection that hangs must not hide that another one would be answered.
      const late = setTimeout(() => session.destroy(), attemptMsMax);
      const client = new Client(session);
      const answer = await client.#request("GET", "/api/v1/namespaces/default").catch(() => undefined);
      clearTimeout(late);
      if (answer?.status === 200) return client;
      session.destroy();
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    throw new Error(`the server does not come back: load ${loadavg()[0]?.toFixed(1)}, it has used ${processorSeconds(process.pid)} s of processor time`);
  }

  async put(name: string, id: string, version: number | undefined): Promise<{ status: number; revision: number; text: string }> {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels: { by: "kill" }, ...(version === undefined ? {} : { resourceVersion: String(version) }) }, data: { id, filler: "x".repeat(id.length * 50) } };
    const answer = await this.#request(version === undefined ? "POST" : "PUT", version === undefined ? path : `${path}/${name}`, JSON.stringify(object));
    return { status: answer.status, text: answer.text, revision: answer.status < 300 ? revisionOf(JSON.parse(answer.text)) : 0 };
  }

  async version(name: string): Promise<number> {
    return revisionOf(JSON.parse((await this.#request("GET", `${path}/${name}`)).text));
  }

  async list(): Promise<{ found: Found[]; revision: number }> {
    const list = JSON.parse((await this.#request("GET", `${path}?labelSelector=by%3Dkill`)).text) as { items: readonly { metadata: { name: string }; data: { id: string; filler: string } }[] };
    // A value that is not whole, or does not belong to its id, shows as torn.
    const found = list.items.map(item => ({ key: item.metadata.name, id: item.data.filler.length === item.data.id.length * 50 ? item.data.id : `torn:${item.data.id}`, revision: revisionOf(item) }));
    return { found, revision: revisionOf(list) };
  }

  close(): void {
    this.#session.destroy();
  }

  #request(method: string, target: string, body?: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      if (this.#session.destroyed) return reject(new Error("the connection is gone"));
      const stream = this.#session.request({ ":method": method, ":path": target, ...(body === undefined ? {} : { "content-type": "application/json" }) });
      let status = 0;
      let text = "";
      stream.setEncoding("utf8");
      stream.on("response", headers => { status = Number(headers[":status"]); });
      stream.on("data", (chunk: string) => { text += chunk; });
      stream.on("error", reject);
      stream.on("close", () => reject(new Error("cut off")));
      stream.on("end", () => { if (status !== 0) resolve({ status, text }); });
      stream.end(body);
    });
  }
}

function revisionOf(object: unknown): number {
  return Number((object as { metadata: { resourceVersion: string } }).metadata.resourceVersion);
}
