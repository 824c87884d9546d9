/** Sockets for the resolver: UDP and TCP on given addresses, and the way to upstream servers. */
import { createSocket, type Socket } from "node:dgram";
import { randomInt } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect, createServer, isIP, type Server } from "node:net";
import { messageOf, type Log } from "../base/log.ts";
import type { Resolver } from "../dns/resolver.ts";

export const dnsLimits = { tcpConnections: 256, tcpIdleMs: 10_000, pipelined: 100, upstreamMs: 2_000, upstreamTries: 2 } as const;

export type DnsServer = { close(): Promise<void> };

/** Serves on every address. Rejects when one cannot be bound. */
export async function startDnsServer(resolver: Pick<Resolver, "answer">, addresses: readonly string[], port: number, log: Log): Promise<DnsServer> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => { await Promise.all(closers.map(closer => closer())); };
  try {
    for (const address of addresses) {
      const udp = await bindUdp(resolver, address, port, log);
      closers.push(() => new Promise(done => udp.close(() => done())));
      const tcp = await listenTcp(resolver, address, port, log);
      closers.push(() => new Promise(done => { tcp.close(() => done()); }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}

function bindUdp(resolver: Pick<Resolver, "answer">, address: string, port: number, log: Log): Promise<Socket> {
  return new Promise((done, fail) => {
    const socket = createSocket({ type: isIP(address) === 6 ? "udp6" : "udp4", recvBufferSize: 1 << 20 });
    socket.once("error", error => fail(new Error(`binding DNS to ${address} port ${port}`, { cause: error })));
    socket.on("message", (bytes, { address: client, port: clientPort }) => {
      void resolver.answer(bytes, "udp").then(answer => {
        if (answer) socket.send(answer, clientPort, client, error => { if (error) log.debug("an answer could not be sent", { client, error: error.message }); });
      });
    });
    socket.bind({ address, port }, () => {
      socket.removeAllListeners("error");
      socket.on("error", error => log.warn("DNS socket", { error: error.message }));
      done(socket);
    });
  });
}

function listenTcp(resolver: Pick<Resolver, "answer">, address: string, port: number, log: Log): Promise<Server> {
  return new Promise((done, fail) => {
    const server = createServer(socket => {
      let buffered = Buffer.alloc(0);
      let open = 0;
      socket.setTimeout(dnsLimits.tcpIdleMs, () => socket.destroy());
      socket.on("error", error => log.debug("DNS over TCP", { error: error.message }));
      socket.on("data", (piece: Buffer) => {
        buffered = Buffer.concat([buffered, piece]);
        while (buffered.length >= 2 && buffered.length >= 2 + buffered.readUInt16BE(0)) {
          const query = buffered.subarray(2, 2 + buffered.readUInt16BE(0));
          buffered = buffered.subarray(2 + query.length);
          if (++open > dnsLimits.pipelined) return void socket.destroy();
          void resolver.answer(query, "tcp").then(answer => {
            open--;
            if (answer === undefined) return void socket.destroy();
            const framed = Buffer.alloc(2 + answer.length);
            framed.writeUInt16BE(answer.length, 0);
            framed.set(answer, 2);
            if (!socket.destroyed) socket.write(framed);
          });
        }
      });
    });
    server.maxConnections = dnsLimits.tcpConnections;
    server.once("error", error => fail(new Error(`listening for DNS on ${address} port ${port}`, { cause: error })));
    server.listen({ host: address, port }, () => done(server));
  });
}

/** Sends to the given servers in turn, over UDP and, for a truncated answer, TCP. */
export function upstreamForward(servers: readonly string[]): (query: Uint8Array) => Promise<Uint8Array> {
  return async query => {
    let last: unknown = new Error("no upstream name server is configured");
    for (let attempt = 0; attempt < dnsLimits.upstreamTries; attempt++)
      for (const server of servers) {
        try {
          const answer = await askUdp(server, query);
          return (answer[2]! & 0x02) === 0 ? answer : await askTcp(server, query);
        } catch (error) {
          last = error;
        }
      }
    throw new Error("no upstream name server answered", { cause: last });
  };
}

/** The machine's own name servers, without those on the loopback that a container could not mean and without ourselves. */
export async function systemNameservers(except: readonly string[]): Promise<readonly string[]> {
  try {
    const text = await readFile("/etc/resolv.conf", "utf8");
    return text.split("\n").flatMap(line => { const [word, address = ""] = line.trim().split(/\s+/); return word === "nameserver" && isIP(address) !== 0 && !except.includes(address) ? [address] : []; });
  } catch (error) {
    throw new Error(`reading /etc/resolv.conf: ${messageOf(error)}`, { cause: error });
  }
}

/** From a fresh port with a fresh id, so that an answer cannot be guessed. */
function askUdp(server: string, query: Uint8Array): Promise<Uint8Array> {
  return new Promise((done, fail) => {
    const socket = createSocket(isIP(server) === 6 ? "udp6" : "udp4");
    const ours = Buffer.from(query);
    const id = randomInt(65_536);
    ours.writeUInt16BE(id, 0);
    const finish = (error: Error | undefined, answer?: Uint8Array): void => {
      clearTimeout(timer);
      socket.close();
      if (error) fail(error);
      else done(answer!);
    };
    const timer = setTimeout(() => finish(new Error(`${server} did not answer within ${dnsLimits.upstreamMs} ms`)), dnsLimits.upstreamMs);
    socket.on("error", finish);
    socket.on("message", answer => { if (answer.length >= 12 && answer.readUInt16BE(0) === id) finish(undefined, answer); });
    socket.connect(53, server, () => socket.send(ours, error => { if (error) finish(error); }));
  });
}

function askTcp(server: string, query: Uint8Array): Promise<Uint8Array> {
  return new Promise((done, fail) => {
    const socket = connect({ host: server, port: 53, timeout: dnsLimits.upstreamMs });
    let buffered = Buffer.alloc(0);
    socket.on("timeout", () => socket.destroy(new Error(`${server} did not answer over TCP within ${dnsLimits.upstreamMs} ms`)));
    socket.on("error", fail);
    socket.on("close", () => fail(new Error(`${server} ended the connection without an answer`)));
    socket.on("connect", () => { const length = Buffer.alloc(2); length.writeUInt16BE(query.length); socket.write(Buffer.concat([length, query])); });
    socket.on("data", (piece: Buffer) => {
      buffered = Buffer.concat([buffered, piece]);
      if (buffered.length < 2 || buffered.length < 2 + buffered.readUInt16BE(0)) return;
      done(buffered.subarray(2, 2 + buffered.readUInt16BE(0)));
      socket.destroy();
    });
  });
}
