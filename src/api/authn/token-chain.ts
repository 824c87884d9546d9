/** Everybody who judges bearer tokens, in upstream's order: the first yes counts (apiserver pkg/authentication/token/union, token/cache). */
import type { Clock } from "../../base/clock.ts";
import type { Notes, TokenVerdict, User } from "../context.ts";

export type TokenJudge = (token: string, audiences: readonly string[], notes?: Notes) => TokenVerdict | Promise<TokenVerdict>;

/** A yes of somebody outside holds this long without asking again (--token-success-cache-ttl's default in upstream's delegation). */
const cacheMs = 10_000;
const cachedMax = 4096;

/** For judges whose tokens are for the API server alone, which does not say so in them (apiserver pkg/authentication/authenticator/audagnostic.go). */
export function forOwnAudiences(verdict: TokenVerdict, audiences: readonly string[], own: readonly string[]): TokenVerdict {
  if (!verdict.authenticated) return verdict;
  const granted = audiences.length === 0 ? own : audiences.filter(audience => own.includes(audience));
  return granted.length === 0 ? { authenticated: false, error: "invalid bearer token" } : { ...verdict, audiences: granted };
}

/** `local` answer from memory, `remote` may have to ask somebody; those speak for the API server's own `audiences`. */
export function tokenChain(local: TokenJudge, remote: readonly TokenJudge[], own: readonly string[], clock: Clock): TokenJudge {
  if (remote.length === 0) return local;
  const cached = new Map<string, { readonly verdict: TokenVerdict; readonly untilMs: number }>();
  return async (token, audiences, notes) => {
    const first = await local(token, audiences, notes);
    if (first.authenticated) return first;
    const wanted = audiences.length === 0 ? own : audiences;
    const key = JSON.stringify([token, wanted]);
    const known = cached.get(key);
    if (known !== undefined && known.untilMs > clock.monotonic()) return known.verdict;
    let last: TokenVerdict = first;
    for (const judge of remote) {
      const verdict = await judge(token, wanted);
      if (!verdict.authenticated) {
        if (verdict.error !== undefined) last = verdict;
        continue;
      }
      const granted = verdict.audiences.length > 0 ? verdict.audiences : wanted.filter(audience => own.includes(audience));
      if (granted.length === 0) continue;
      const complete: TokenVerdict = { ...verdict, user: everybody(verdict.user), audiences: granted };
      if (cached.size >= cachedMax) cached.delete(cached.keys().next().value!);
      cached.set(key, { verdict: complete, untilMs: clock.monotonic() + cacheMs });
      return complete;
    }
    return last;
  };
}

function everybody(user: User): User {
  return user.groups.includes("system:authenticated") ? user : { ...user, groups: [...user.groups, "system:authenticated"] };
}
