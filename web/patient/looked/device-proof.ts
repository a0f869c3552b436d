import { checkProof, type LogMemory, type ProofCheck, type WitnessKey } from '../../../src/audit/proof-check.ts'
import type { LogSource } from '../../../src/audit/verify.ts'
import { BROKEN_LINE, call, Problem } from '../../ui/api.ts'

const MEMORY = 'amanat.log'

/** The log as this server serves it; never from the cache of the browser, or a roll-back would be seen late. */
const source: LogSource = {
  name: 'the exchange',
  read: async (path) => {
    const answer = await fetchLog(`/log/${path}`)
    return answer.status === 404 ? undefined : new Uint8Array(await answer.arrayBuffer())
  },
}

async function fetchLog(path: string): Promise<Response> {
  try {
    const answer = await fetch(path, { cache: path.includes('/tile/') ? 'default' : 'no-store', credentials: 'omit' })
    if (answer.ok || answer.status === 404) return answer
    throw new Problem(answer.status, { code: BROKEN_LINE })
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem(0, { code: BROKEN_LINE })
  }
}

/** Fetches the receipt of an event and checks it on this device, against what the device remembers of the log. */
export async function checkOnDevice(
  id: string,
  event: unknown,
): Promise<{ readonly check: ProofCheck; readonly receipt: string }> {
  const receipt = JSON.stringify(await call<object>(`/v1/me/receipts/${id}`), null, 2)
  const vkey = (await (await fetchLog('/log/vkey')).text()).trim()
  const { witnesses } = (await (await fetchLog('/log/witnesses')).json()) as { witnesses: readonly WitnessKey[] }
  const check = await checkProof(receipt, { id, event }, { vkey, witnesses, source }, remembered())
  if (check.remember !== undefined) localStorage.setItem(MEMORY, JSON.stringify(check.remember))
  return { check, receipt }
}

function remembered(): LogMemory | undefined {
  const kept = localStorage.getItem(MEMORY)
  return kept === null ? undefined : (JSON.parse(kept) as LogMemory)
}
