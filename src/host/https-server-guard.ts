/** Counts what each address does and says when it has to stay away: connections, cancelled streams, bans. */
import type { Clock } from "../base/clock.ts";
import type { ServerLimits } from "./https-server-limits.ts";
import { isLoopback } from "./https-server-peer.ts";

type Account = { connections: number; resets: number; countedAt: number; bannedUntil: number };

export class Guard {
  readonly #clock: Clock;
  readonly #limits: ServerLimits;
  readonly #accounts = new Map<string, Account>();
  #connections = 0;

  constructor(clock: Clock, limits: ServerLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get connections(): number { return this.#connections; }

  /** Whether a new connection may come in; counts it if so. Everything on this machine shares loopback, so there only the total counts. */
  admit(address: string): boolean {
    if (this.#connections >= this.#limits.connections) return false;
    const account = this.#account(address);
    if (!isLoopback(address) && (account.connections >= this.#limits.connectionsPerAddress || this.isBanned(address))) return false;
    account.connections++;
    this.#connections++;
    return true;
  }

  leave(address: string): void {
    this.#connections--;
    const account = this.#accounts.get(address);
    if (!account) return;
    account.connections--;
    this.#forgetIfQuiet(address, account);
  }

  /** A client cancelled a stream. True: it has done so too often and is banned from now on. */
  reset(address: string): boolean {
    const account = this.#account(address);
    const now = this.#clock.monotonic();
    const forgiven = (now - account.countedAt) / 1000 * this.#limits.resetsPerSecond;
    account.resets = Math.max(0, account.resets - forgiven) + 1;
    account.countedAt = now;
    if (account.resets <= this.#limits.resetBurst) return false;
    account.bannedUntil = now + this.#limits.banMs;
    account.resets = 0;
    return true;
  }

  isBanned(address: string): boolean {
    return (this.#accounts.get(address)?.bannedUntil ?? 0) > this.#clock.monotonic();
  }

  #account(address: string): Account {
    let account = this.#accounts.get(address);
    if (account) return account;
    if (this.#accounts.size >= this.#limits.guardedAddresses) for (const [other, quiet] of this.#accounts) this.#forgetIfQuiet(other, quiet);
    account = { connections: 0, resets: 0, countedAt: this.#clock.monotonic(), bannedUntil: 0 };
    this.#accounts.set(address, account);
    return account;
  }

  // Only an address without connections, ban and recent resets may be forgotten; connections are bounded, so the map is.
  #forgetIfQuiet(address: string, account: Account): void {
    const now = this.#clock.monotonic();
    const cooled = (now - account.countedAt) / 1000 * this.#limits.resetsPerSecond >= account.resets;
    if (account.connections <= 0 && cooled && account.bannedUntil <= now) this.#accounts.delete(address);
  }
}
