import type { Chain } from '../../../src/rights/views.ts'
import type { PatientKey } from '../words.ts'

/** The name of a node as the patient reads it. */
export function nameOf(chain: Chain, id: string, t: (key: PatientKey) => string): string {
  return id === 'me' ? t('sharing.you') : (chain.nodes.find((node) => node.id === id)?.name ?? id)
}
