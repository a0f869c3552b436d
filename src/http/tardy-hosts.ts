/** Hosts that let us wait: who does not answer again and again must not hold up what goes to others. */
export type TardyHosts = {
  /** False while the host rests. One call in each rest is let through, to see whether it answers again. */
  readonly mayCall: (origin: string) => boolean
  readonly note: (origin: string, isInTime: boolean) => void
}

const TIMEOUTS_MAX = 5
const REST_MS = 30_000
const HOSTS_MAX = 10_000

/** After {@link TIMEOUTS_MAX} timeouts in a row a host rests for {@link REST_MS}; any answer, also a bad one, ends that. */
export function makeTardyHosts(nowMs: () => number): TardyHosts {
  const hosts = new Map<string, { readonly timeouts: number; readonly restsUntilMs: number }>()
  return {
    mayCall: (origin) => {
      const host = hosts.get(origin)
      if (host === undefined || host.timeouts < TIMEOUTS_MAX) return true
      if (nowMs() < host.restsUntilMs) return false
      hosts.set(origin, { ...host, restsUntilMs: nowMs() + REST_MS })
      return true
    },
    note: (origin, isInTime) => {
      const timeouts = (hosts.get(origin)?.timeouts ?? 0) + 1
      hosts.delete(origin)
      if (isInTime) return
      if (hosts.size >= HOSTS_MAX) hosts.clear()
      hosts.set(origin, { timeouts, restsUntilMs: nowMs() + REST_MS })
    },
  }
}
