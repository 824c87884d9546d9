/** The real service proxy over made-up services, with the kernel's rules in a network namespace that is made for it: from a change's arrival to the rules in force. Needs root. */
import { execFileSync, spawn } from "node:child_process";
import { silent } from "../../src/base/log.ts";
import { systemClock } from "../../src/host/clock.ts";
import type { Service } from "../../src/kinds/core/service.ts";
import type { EndpointSlice } from "../../src/kinds/discovery/endpointslice.ts";
import { serviceProxy, type PacketFilter } from "../../src/proxy/proxy.ts";
import type { Row } from "./table.ts";

const endpointsEach = 3;
const changesEach = 10;

export async function benchServices(runs: number): Promise<Row[]> {
  const namespace = `timonier-bench-${process.pid}`;
  execFileSync("ip", ["netns", "add", namespace]);
  try {
    const rows = new Map<string, number[]>();
    const note = (what: string, ms: number): void => void rows.set(what, [...(rows.get(what) ?? []), ms]);
    for (let run = 0; run < runs; run++) for (const count of [1_000, 5_000]) await measure(namespace, count, note);
    const goals: { readonly [what: string]: string } = { "first load, 1,000 services × 3": "≤ 150", "one endpoint moved, 1,000 services × 3": "≤ 25" };
    return [...rows].map(([what, measured]) => ({ what, unit: "ms", runs: measured, ...(goals[what] === undefined ? {} : { goal: goals[what] }) }));
  } finally {
    execFileSync("ip", ["netns", "delete", namespace]);
  }
}

async function measure(namespace: string, count: number, note: (what: string, ms: number) => void): Promise<void> {
  const size = `${count.toLocaleString("en")} services × ${endpointsEach}`;
  const services = new Map(Array.from({ length: count }, (_, i) => [`d/s${i}`, serviceNumber(i)]));
  const slices = new Map(Array.from({ length: count }, (_, i) => [`d/s${i}`, sliceNumber(i, 0)]));
  let changed = (): void => undefined;
  let applied = (): void => undefined;
  const life = new AbortController();
  const proxy = serviceProxy({
    node: () => ({ name: "n1", zone: "" }), clock: systemClock(), log: silent, filter: filterIn(namespace),
    services: { list: () => [...services.values()], listed: async () => undefined, onChange: listener => { changed = listener as unknown as () => void; return () => undefined; } },
    slices: { by: (_index, key) => { const slice = slices.get(key); return slice === undefined ? [] : [slice]; }, listed: async () => undefined, onChange: () => () => undefined },
    settings: [{ family: "IPv4", table: "ip timonier_bench", clusterCIDR: "10.244.0.0/16", podCIDR: "10.250.0.0/24", pools: [], nodeIPs: ["192.0.2.1"], isBalancer: true }],
    applied: () => applied(),
  });
  const next = (): Promise<void> => new Promise(resolve => { applied = resolve; });
  const timed = async (what: string, change: () => void): Promise<void> => {
    const done = next();
    const began = performance.now();
    change();
    await done;
    note(`${what}, ${size}`, performance.now() - began);
  };
  let running: Promise<void> = Promise.resolve();
  await timed("first load", () => { running = proxy.run(life.signal); });
  for (let i = 0; i < changesEach; i++) {
    await timed("one endpoint moved", () => { slices.set(`d/s${i * 7}`, sliceNumber(i * 7, 1)); changed(); });
    await timed("one service more", () => { services.set(`d/more${i}`, serviceNumber(count + i)); slices.set(`d/more${i}`, { ...sliceNumber(i, 0) }); changed(); });
  }
  life.abort();
  changed();
  await running;
}

const octets = (i: number): string => `${i >> 8}.${i & 255}`;
function serviceNumber(i: number): Service {
  const ip = `10.96.${octets(i + 256)}`;
  return { metadata: { namespace: "d", name: `s${i}` }, spec: { type: "ClusterIP", clusterIP: ip, clusterIPs: [ip], ports: [{ name: "http", port: 80, protocol: "TCP" }] }, status: { loadBalancer: {} } } as unknown as Service;
}
function sliceNumber(i: number, generation: number): EndpointSlice {
  const endpoints = Array.from({ length: endpointsEach }, (_, j) => ({ addresses: [`10.244.${octets(i * endpointsEach + j + (j === 0 ? generation * 20_000 : 0) + 256)}`], nodeName: "n1", conditions: { ready: true } }));
  return { metadata: { namespace: "d", name: `s${i}` }, addressType: "IPv4", ports: [{ name: "http", port: 8080, protocol: "TCP" }], endpoints } as unknown as EndpointSlice;
}

function filterIn(namespace: string): PacketFilter {
  return {
    apply: commands => new Promise((done, fail) => {
      const child = spawn("nsenter", [`--net=/run/netns/${namespace}`, "nft", "-f", "-"], { stdio: ["pipe", "ignore", "pipe"] });
      let said = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => { said += text; });
      child.on("error", fail).on("close", code => (code === 0 ? done() : fail(new Error(`nft: ${said}`))));
      child.stdin.end(`${commands.join("\n")}\n`);
    }),
    remembered: async () => new Map(),
    udpFlows: async () => [],
    forgetFlows: async () => undefined,
  };
}
