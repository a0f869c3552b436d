import type { Answer } from '../http/route.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'

/** A party that the console sees and steers, by its operator token. */
export type SteeredParty = { readonly id: string; readonly url: string; readonly operatorToken: string }

const PARTY_TIMEOUT_MS = 4_000

/** Calls a party's operator route and gives its answer as it came; a refusal when it does not answer. */
export async function askParty(
  party: SteeredParty,
  path: string,
  options: {
    readonly method?: 'GET' | 'POST' | 'DELETE'
    readonly body?: unknown
    /** For grave acts: which operator does it, `name:123456`. */
    readonly operatorCode?: string | undefined
  } = {},
): Promise<Answer | Refusal> {
  try {
    const answer = await fetch(`${party.url}${path}`, {
      method: options.method ?? 'GET',
      headers: {
        authorization: `Bearer ${party.operatorToken}`,
        'content-type': 'application/json',
        ...(options.operatorCode === undefined ? {} : { 'x-operator-code': options.operatorCode }),
      },
      signal: AbortSignal.timeout(PARTY_TIMEOUT_MS),
      redirect: 'error',
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    })
    const text = await answer.text()
    const wait = answer.headers.get('retry-after')
    const headers = {
      'content-type': answer.headers.get('content-type') ?? 'application/json',
      ...(wait === null ? {} : { 'retry-after': wait }),
    }
    return text === ''
      ? { status: answer.status }
      : { status: answer.status, body: JSON.parse(text) as unknown, headers }
  } catch {
    // Refused, too slow, or not JSON: for the console it is all the same.
    return refuse('sandbox/party-silent')
  }
}
