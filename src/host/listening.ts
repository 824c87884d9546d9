/** Which ports programs of this machine listen on, as the kernel lists them. */
import { readFile } from "node:fs/promises";
import { endianness } from "node:os";
import { parseIp, renderIp } from "../base/ip.ts";

const lists = [["tcp", "TCP"], ["tcp6", "TCP"], ["udp", "UDP"], ["udp6", "UDP"]] as const;
/** TCP_LISTEN, and what an unconnected UDP socket has (include/net/tcp_states.h). */
const waiting = { TCP: "0A", UDP: "07" } as const;

/** As of now. Rejects when the kernel's lists cannot be read. */
export async function listeningPrograms(): Promise<(ip: string, protocol: string, port: number) => string | undefined> {
  const taken = new Set<string>();
  for (const [name, protocol] of lists) {
    // Without IPv6 in the kernel its lists are not there.
    const text = await readFile(`/proc/self/net/${name}`, "utf8").catch((error: NodeJS.ErrnoException) => { if (error.code === "ENOENT" && name.endsWith("6")) return ""; throw error; });
    for (const { ip, port } of parseSockets(text, waiting[protocol])) taken.add(`${ip} ${protocol} ${port}`);
  }
  return (ip, protocol, port) => ([ip, "0.0.0.0", "::"].some(each => taken.has(`${each} ${protocol} ${port}`)) ? `a program of this machine (see ss -l${protocol === "UDP" ? "u" : "t"}np sport = :${port})` : undefined);
}

/** Local addresses of the sockets in this state, from the text of /proc/net/tcp and its like (Documentation/networking/proc_net_tcp.rst). */
export function parseSockets(text: string, state: string, littleEndian = endianness() === "LE"): readonly { readonly ip: string; readonly port: number }[] {
  return text.split("\n").slice(1).flatMap(line => {
    const [, local = "", , is] = line.trim().split(/\s+/);
    const [address = "", port = ""] = local.split(":");
    if (is !== state || !/^([0-9A-F]{8}|[0-9A-F]{32})$/.test(address)) return [];
    // Words of 32 bits in the machine's own byte order.
    const words = address.match(/.{8}/g)!.map(word => (littleEndian ? word.match(/../g)!.reverse().join("") : word)).join("");
    const ip = words.length === 8 ? renderIp({ family: 4, value: BigInt(`0x${words}`) }) : renderIp({ family: 6, value: BigInt(`0x${words}`) });
    // An IPv4 address in a socket of both families is that address.
    const plain = parseIp(ip);
    return [{ ip: plain === undefined ? ip : renderIp(plain), port: parseInt(port, 16) }];
  });
}
