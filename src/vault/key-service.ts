import { KeysAway } from '../crypto/envelope.ts'
import type { Outbound } from '../http/outbound.ts'
import { LIMITS } from '../kernel/limits.ts'

export type ServiceAnswer = { readonly status: number; readonly body: unknown }
export type ServiceCall = {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Calls a key service over HTTP: a JSON answer of whatever status, or `KeysAway`. The words of its refusals go into our log, no secret does. */
export async function callKeyService(outbound: Pick<Outbound, 'call'>, call: ServiceCall): Promise<ServiceAnswer> {
  const outcome = await outbound.call({ ...call, timeoutMs: LIMITS.keyServiceTimeoutMs })
  const { host } = new URL(call.url)
  if (outcome.kind !== 'answered') throw new KeysAway(`the key service at ${host} cannot be asked: ${outcome.reason}`)
  const { status, body } = outcome
  // 204 and the like have no body.
  if (body.length === 0) return { status, body: undefined }
  try {
    return { status, body: JSON.parse(body.toString('utf8')) as unknown }
  } catch {
    throw new KeysAway(`the key service at ${host} answered ${status} with something that is not JSON`)
  }
}

/** Remembers for a while what was asked, so that a chore does not ask a service each second. `forget` after a change of our own. */
export function askedRarely(ask: () => Promise<string>, nowMs: () => number) {
  let known: { readonly value: string; readonly untilMs: number } | undefined
  return {
    get: async (): Promise<string> => {
      if (known !== undefined && nowMs() < known.untilMs) return known.value
      const value = await ask()
      known = { value, untilMs: nowMs() + LIMITS.keyVersionKeptMs }
      return value
    },
    forget: (): void => void (known = undefined),
  }
}
