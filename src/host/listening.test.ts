import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { listeningPrograms, parseSockets } from "./listening.ts";

test("sockets that wait are read from the kernel's list, in either byte order", () => {
  const text = `  sl  local_address rem_address   st tx_queue
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000
   1: 0100007F:1F91 0100007F:1F90 01 00000000:00000000
   2: 0000000000000000FFFF00000202A8C0:0050 00000000000000000000000000000000:0000 0A 0
   3: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 0`;
  assert.deepEqual(parseSockets(text, "0A", true).map(({ ip, port }) => `${ip} ${port}`), ["127.0.0.1 8080", "192.168.2.2 80", ":: 22"]);
  assert.deepEqual(parseSockets("\n 0: 7F000001:0050 0:0 0A", "0A", false), [{ ip: "127.0.0.1", port: 80 }]);
});

test("a program of this machine is seen, and only on its own address and protocol", async () => {
  const server = createServer();
  await new Promise<void>(done => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { readonly port: number };
  const taken = await listeningPrograms();
  server.close();
  const ask = (ip: string, protocol: string): string | undefined => taken(ip, protocol, port);
  assert.match(ask("127.0.0.1", "TCP") ?? "", /^a program of this machine/);
  assert.equal(ask("127.0.0.1", "UDP"), undefined);
});
