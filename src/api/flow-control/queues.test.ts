import assert from "node:assert/strict";
import { test } from "node:test";
import { Dealer } from "./shuffle.ts";
import { Queues, Ticket, type QueueConfig } from "./queues.ts";

const queuing: QueueConfig = { queues: 8, handSize: 3, lengthMax: 4 };
function started(config: QueueConfig, limit: number): Queues {
  const queues = new Queues(0);
  queues.configure(config, limit, 0);
  return queues;
}
function finish(queues: Queues, ticket: Ticket, nowMs: number): void {
  ticket.leftMs = nowMs;
  queues.finish(ticket, nowMs);
}

test("requests run while there are seats, then wait, then are refused", () => {
  const queues = started(queuing, 2);
  const outcomes = Array.from({ length: 8 }, () => queues.start(new Ticket("", 1), [0], 0));
  assert.deepEqual(outcomes, ["runs", "runs", "waits", "waits", "waits", "waits", "queue-full", "queue-full"]);
  assert.deepEqual([queues.executing.size, queues.waiting, queues.rejected, queues.seatsInUse], [2, 4, 2, 2]);
});

test("without queues what does not fit is refused; an exempt level has no limit", () => {
  const rejecting = started({ queues: 0, handSize: 0, lengthMax: 0 }, 3);
  assert.deepEqual([2, 2, 1].map(seats => rejecting.start(new Ticket("", seats), [], 0)), ["runs", "concurrency-limit", "runs"]);
  const exempt = started({ queues: -1, handSize: 0, lengthMax: 0 }, 0);
  assert.deepEqual([50, 50].map(seats => exempt.start(new Ticket("", seats), [], 0)), ["runs", "runs"]);
});

test("a request wider than its level runs alone", () => {
  const queues = started(queuing, 5);
  const small = new Ticket("small", 1);
  const wide = new Ticket("wide", 9);
  const ran: string[] = [];
  wide.go = () => ran.push("wide");
  queues.start(small, [0], 0);
  assert.equal(queues.start(wide, [1], 0), "waits");
  const after = new Ticket("after", 1);
  after.go = () => ran.push("after");
  finish(queues, small, 1);
  assert.deepEqual(ran, ["wide"]);
  assert.equal(queues.start(after, [2], 2), "waits");
  finish(queues, wide, 3);
  assert.deepEqual(ran, ["wide", "after"]);
});

test("who gives up leaves its place to the next; fewer queues serve what is in them first", () => {
  const queues = started(queuing, 1);
  const [first, second, third] = [new Ticket("1", 1), new Ticket("2", 1), new Ticket("3", 1)];
  let ran = "";
  third.go = () => (ran = "third");
  queues.start(first, [7], 0);
  queues.start(second, [7], 0);
  queues.start(third, [7], 0);
  assert.equal(queues.cancel(second, "time-out", 1), true);
  assert.equal(queues.cancel(second, "time-out", 1), false);
  queues.configure({ ...queuing, queues: 2 }, 1, 1);
  assert.equal(queues.queues.length, 8);
  finish(queues, first, 2);
  assert.equal(ran, "third");
  finish(queues, third, 3);
  assert.deepEqual([queues.idle, queues.queues.length, queues.timedOut], [true, 2, 1]);
});

/** One level under virtual time: each client keeps so many requests open, each of them takes so long. */
type Client = { readonly name: string; readonly open: number; readonly seats: number; readonly ms: number };
function simulate(clients: readonly Client[], limit: number, untilMs: number): Map<string, { served: number; waited: number; seatMs: number; refused: number }> {
  const queues = started({ queues: 64, handSize: 6, lengthMax: 50 }, limit);
  const dealer = new Dealer(text => { let hash = 14695981039346656037n; for (const char of text) hash = ((hash ^ BigInt(char.codePointAt(0)!)) * 1099511628211n) & 0xFFFFFFFFFFFFFFFFn; const bytes = new Uint8Array(8); new DataView(bytes.buffer).setBigUint64(0, hash, true); return bytes; }, 64, 6);
  const counts = new Map(clients.map(({ name }) => [name, { served: 0, waited: 0, seatMs: 0, refused: 0 }]));
  const events: { at: number; order: number; run: () => void }[] = [];
  let [now, order] = [0, 0];
  const after = (ms: number, run: () => void): void => void events.push({ at: now + ms, order: order++, run });
  const send = (client: Client): void => {
    const ticket = new Ticket(client.name, client.seats);
    const count = counts.get(client.name)!;
    const run = (): void => {
      count.waited = Math.max(count.waited, now - ticket.arrivedMs);
      after(client.ms, () => {
        count.served++;
        count.seatMs += client.seats * client.ms;
        finish(queues, ticket, now);
        send(client);
      });
    };
    ticket.go = run;
    const outcome = queues.start(ticket, dealer.hand("schema", client.name), now);
    if (outcome === "runs") run();
    else if (outcome !== "waits") {
      count.refused++;
      after(1000, () => send(client));
    }
  };
  for (const client of clients) for (let i = 0; i < client.open; i++) send(client);
  while (now < untilMs) {
    events.sort((a, b) => a.at - b.at || a.order - b.order);
    const next = events.shift();
    if (next === undefined) break;
    now = next.at;
    next.run();
    assert.ok(queues.seatsInUse <= Math.max(limit, ...clients.map(({ seats }) => seats)), "no more seats are taken than there are");
  }
  return counts;
}

test("a client with a hundred times the requests does not get more than its part", () => {
  const counts = simulate([{ name: "flood", open: 200, seats: 1, ms: 10 }, { name: "alice", open: 4, seats: 1, ms: 10 }, { name: "bob", open: 4, seats: 1, ms: 10 }], 4, 10_000);
  const [flood, alice, bob] = ["flood", "alice", "bob"].map(name => counts.get(name)!.seatMs);
  assert.ok(alice! >= flood! / 6 && bob! >= flood! / 6, `flood uses up to six queues, the others one to four: ${flood} ${alice} ${bob}`);
  assert.ok(counts.get("alice")!.waited <= 100, `alice waited ${counts.get("alice")!.waited} ms`);
});

test("wide requests pay for their width: seats are shared, not requests", () => {
  const counts = simulate([{ name: "lists", open: 1, seats: 8, ms: 50 }, { name: "gets", open: 8, seats: 1, ms: 50 }], 8, 20_000);
  const [lists, gets] = [counts.get("lists")!, counts.get("gets")!];
  assert.ok(lists.served * 3 < gets.served, `${lists.served} lists, ${gets.served} gets`);
  assert.ok(lists.served > 0);
});

test("eight floods of five hundred requests do not keep a small client waiting long: its hand has a queue that they lack", () => {
  const floods = Array.from({ length: 8 }, (_, i): Client => ({ name: `flood-${i}`, open: 62, seats: 2, ms: 20 }));
  const counts = simulate([...floods, { name: "lease", open: 1, seats: 1, ms: 1 }], 20, 5_000);
  const lease = counts.get("lease")!;
  assert.ok(lease.waited <= 200 && lease.refused === 0, `waited ${lease.waited} ms, refused ${lease.refused}`);
});
