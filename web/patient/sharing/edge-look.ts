import type { EdgeState } from '../../../src/rights/views.ts'
import type { IconName } from '../../ui/icon.tsx'
import type { Tone } from '../../ui/state.tsx'
import type { PatientKey } from '../words.ts'

type Look = { readonly tone: Tone; readonly icon: IconName; readonly words: PatientKey }

/** How an arrow looks and is called: always colour, sign and words together. */
export const EDGE_LOOKS: Readonly<Record<EdgeState, Look>> = {
  link: { tone: 'calm', icon: 'record', words: 'sharing.edge.link' },
  planned: { tone: 'waiting', icon: 'clock', words: 'sharing.edge.planned' },
  shared: { tone: 'live', icon: 'check', words: 'sharing.edge.shared' },
  stopping: { tone: 'stopped', icon: 'stop', words: 'sharing.edge.stopping' },
  erased: { tone: 'stopped', icon: 'cross', words: 'sharing.edge.erased' },
  unused: { tone: 'stopped', icon: 'lock', words: 'sharing.edge.unused' },
}
