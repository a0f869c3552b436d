import { setTimeout as pause } from 'node:timers/promises'

/** What a party says at its door that has too much to do at this moment (decision 32): nothing was done. */
const TURNED_AWAY = /machine\/overloaded|More is asked at once/
const BACK_MS = 100
const DEADLINE_MS = 60_000

/** `fetch` of a good client: who is turned away comes back. A machine that does ten other things turns tests away, too. */
export async function comeBack(url: string, init: RequestInit): Promise<Response> {
  const end = performance.now() + DEADLINE_MS
  for (;;) {
    const answer = await fetch(url, init)
    const isTurnedAway = answer.status === 503 && TURNED_AWAY.test(await answer.clone().text())
    if (!isTurnedAway || performance.now() > end) return answer
    await answer.body?.cancel()
    await pause(BACK_MS)
  }
}
