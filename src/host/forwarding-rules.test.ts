import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptForwarding, parseDropping, removeForwarding, type LegacyTables, type RunProgram } from "./forwarding-rules.ts";

const listed = (...texts: readonly string[]): string => JSON.stringify({ nftables: [{ metainfo: {} }, ...texts.map(text => { const [family, table, name, hook, policy] = text.split(" "); return { chain: { family, table, name, ...(hook === undefined ? {} : { hook, policy }) } }; })] });

/** iptables with these chains, and nft with what it lists. */
function machine(lists: string, has: readonly string[]): { readonly run: RunProgram; readonly rules: string[] } {
  const rules: string[] = [];
  return {
    rules,
    run: async (program, args) => {
      if (program === "nft") return { code: 0, stdout: lists, stderr: "" };
      const [verb = "", chain = "", ...rest] = args[0] === "-w" ? args.slice(2) : args;
      if (rest.length === 0 && chain === "FORWARD" && program.endsWith("-legacy")) return { code: 0, stdout: "-P FORWARD DROP\n", stderr: "" };
      if (verb === "-S") return { code: has.includes(`${program} ${chain}`) ? 0 : 1, stdout: "", stderr: "" };
      const rule = `${program} ${chain} ${rest.join(" ").replace(/^1 /, "")}`;
      const known = rules.indexOf(rule);
      if (verb === "-I") rules.unshift(rule);
      if (verb === "-D" && known >= 0) rules.splice(known, 1);
      return { code: verb === "-I" || known >= 0 ? 0 : 1, stdout: "", stderr: "" };
    },
  };
}
const noLegacy: LegacyTables = () => [];
const short = (rules: readonly string[]): string => rules.map(rule => rule.replace(' -m comment --comment timonier c -j ACCEPT', "")).sort().join("; ");

for (const [what, lists, has, want, foreign] of [
  ["nothing drops", ["ip filter FORWARD forward accept", "ip timonier_pods x"], [], "", ""],
  ["iptables drops", ["ip filter FORWARD forward drop"], [], "iptables FORWARD -d 10.1.0.0/16; iptables FORWARD -s 10.1.0.0/16", ""],
  ["Docker is there", ["ip filter FORWARD forward drop"], ["iptables DOCKER-USER"], "iptables DOCKER-USER -d 10.1.0.0/16; iptables DOCKER-USER -s 10.1.0.0/16", ""],
  ["IPv6 drops alone", ["ip filter FORWARD forward accept", "ip6 filter FORWARD forward drop"], [], "ip6tables FORWARD -d fd00::/48; ip6tables FORWARD -s fd00::/48", ""],
  ["input drops", ["ip filter INPUT input drop"], [], "", ""],
  ["somebody else's table drops", ["inet firewalld filter_FORWARD forward drop"], [], "", "inet firewalld filter_FORWARD"],
] as const)
  test(`what the machine's firewall drops of pods' packets: ${what}`, async () => {
    const { run, rules } = machine(listed(...lists), has);
    const networks = ["10.1.0.0/16", "fd00::/48"];
    const first = await acceptForwarding("c", networks, run, noLegacy);
    assert.equal(short(rules), want);
    assert.equal(first.added, rules.length);
    assert.equal(first.foreign.map(({ family, table, chain }) => `${family} ${table} ${chain}`).join(), foreign);
    assert.equal((await acceptForwarding("c", networks, run, noLegacy)).added, 0, "once");
    await removeForwarding("c", networks, run, noLegacy);
    assert.deepEqual(rules, []);
  });

test("iptables' older self is asked where it has a filter table, and nowhere else", async () => {
  const { run, rules } = machine(listed("ip filter FORWARD forward accept"), []);
  const legacy: LegacyTables = family => (family === "ip" ? ["filter", "nat"] : []);
  const networks = ["10.1.0.0/16", "fd00::/48"];
  await acceptForwarding("c", networks, run, legacy);
  assert.equal(short(rules), "iptables-legacy FORWARD -d 10.1.0.0/16; iptables-legacy FORWARD -s 10.1.0.0/16");
  await removeForwarding("c", networks, run, legacy);
  assert.deepEqual(rules, []);
});

test("a rule that cannot be added is told with the command to run", async () => {
  const run: RunProgram = async program => (program === "nft" ? { code: 0, stdout: listed("ip filter FORWARD forward drop"), stderr: "" } : { code: 4, stdout: "", stderr: "Resource temporarily unavailable." });
  await assert.rejects(acceptForwarding("c", ["10.1.0.0/16"], run, noLegacy), /run iptables -I FORWARD -s 10\.1\.0\.0\/16 -m comment --comment "timonier c" -j ACCEPT: Resource temporarily unavailable\./);
});

test("chains without a hook, or that accept, drop nothing", () => assert.deepEqual(parseDropping(listed("ip filter DOCKER", "ip nat POSTROUTING postrouting accept")), []));
