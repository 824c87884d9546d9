/** Requests through a service and questions to the name server, at a steady rate from this machine, while something is done to the cluster. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export type LoadResult = {
  readonly requests: number;
  /** What went wrong, by kind: `ECONNREFUSED`, `timeout`, … */
  readonly failures: { readonly [what: string]: number };
  readonly requestsPerSecond: number;
  readonly slowestMs: number;
  /** The longest time between two right answers of the name server. */
  readonly dnsGapMs: number;
  readonly answers: number;
};
export type LoadOptions = { readonly host: string; readonly port: number; readonly perSecond: number; /** Absent: no questions are asked. */ readonly dns?: { readonly server: string; readonly name: string; readonly address: string } };

const requestMsMax = 5_000;
const askEveryMs = 20;
const answerMsMax = 250;

/** Every request has a connection of its own. Runs until `stop`. */
export function startLoad(options: LoadOptions): { stop(): Promise<LoadResult> } {
  const failures = new Map<string, number>();
  let [requests, slowestMs, stopped] = [0, 0, false];
  const began = performance.now();
  const open = new Set<Promise<void>>();
  const requesting = (async () => {
    for (let i = 0; !stopped; i++) {
      const wait = began + (i * 1_000) / options.perSecond - performance.now();
      if (wait > 1) await sleep(wait);
      const at = performance.now();
      requests++;
      const done = ask(options.host, options.port).then(problem => {
        slowestMs = Math.max(slowestMs, performance.now() - at);
        if (problem !== undefined) failures.set(problem, (failures.get(problem) ?? 0) + 1);
      });
      open.add(done);
      void done.then(() => open.delete(done));
    }
    await Promise.all(open);
  })();
  const asking = options.dns === undefined ? Promise.resolve({ dnsGapMs: 0, answers: 0 }) : askNames(options.dns, () => stopped);
  return {
    stop: async () => {
      stopped = true;
      const seconds = (performance.now() - began) / 1_000;
      await requesting;
      return { requests, failures: Object.fromEntries(failures), requestsPerSecond: Math.round(requests / seconds), slowestMs: Math.round(slowestMs), ...(await asking) };
    },
  };
}

/** `undefined` for a whole answer. */
function ask(host: string, port: number): Promise<string | undefined> {
  return new Promise(done => {
    let text = "";
    const socket = connect({ host, port, timeout: requestMsMax }, () => socket.write("GET / HTTP/1.0\r\n\r\n"));
    socket.setEncoding("utf8").on("data", (piece: string) => { text += piece; });
    socket.on("timeout", () => { socket.destroy(); done("timeout"); });
    socket.on("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    socket.on("close", () => done(text.startsWith("HTTP/1.0 200") || text.startsWith("HTTP/1.1 200") ? undefined : "cut"));
  });
}

async function askNames({ server, name, address }: NonNullable<LoadOptions["dns"]>, stopped: () => boolean): Promise<{ readonly dnsGapMs: number; readonly answers: number }> {
  const wanted = Buffer.from(address.split(".").map(Number));
  let [last, dnsGapMs, answers] = [performance.now(), 0, 0];
  for (let id = 1; !stopped(); id = (id + 1) % 65_536) {
    const at = performance.now();
    if (await asked(server, query(id, name), wanted)) {
      const now = performance.now();
      dnsGapMs = Math.max(dnsGapMs, now - last);
      last = now;
      answers++;
    }
    await sleep(Math.max(0, askEveryMs - (performance.now() - at)));
  }
  return { dnsGapMs: Math.round(Math.max(dnsGapMs, performance.now() - last)), answers };
}
/** A question for an address, as bytes. */
export function query(id: number, name: string): Buffer {
  const head = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, ...name.split(".").map(label => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])), Buffer.from([0, 0, 1, 0, 1])]);
}
/** Whether the answer's last record is this address; false also when there is no answer. */
export function asked(server: string, bytes: Buffer, wanted: Buffer): Promise<boolean> {
  return new Promise(done => {
    const socket = createSocket("udp4");
    const end = (good: boolean): void => { clearTimeout(timer); socket.close(); done(good); };
    const timer = setTimeout(() => end(false), answerMsMax);
    socket.on("error", () => end(false));
    socket.on("message", answer => end(answer.subarray(0, 2).equals(bytes.subarray(0, 2)) && answer.subarray(-4).equals(wanted)));
    socket.connect(53, server, () => socket.send(bytes));
  });
}
