import type { DeskConsent } from '../../../src/desk/consents.ts'
import type { Tone } from '../../ui/state.tsx'
import type { Wire } from '../wire.ts'
import type { DeskKey } from '../words.ts'

export type Consent = Wire<DeskConsent>
export type Step = Consent['steps'][number]
export type Place = Consent['places'][number]
export type Difference = NonNullable<Consent['terms']>['differences'][number]

export const nameOf = ({ patient }: Consent): string => patient.name ?? patient.abhaAddress

/** Whether the patient cut something off what was asked. */
export const isLess = (consent: Consent): boolean => (consent.terms?.differences.length ?? 0) > 0

/** Opened without asking the patient: it is never called allowed. */
export const isEmergency = ({ terms }: Consent): boolean => terms?.purpose === 'BTG'

const isUndecided = ({ status }: Consent): boolean => status === 'asked' || status === 'requested'

/** A state is a word and a colour; `State` adds the icon. */
export function stateOf(consent: Consent): readonly [tone: Tone, words: DeskKey] {
  if (isEmergency(consent)) {
    if (consent.status === 'granted') return ['emergency', 'consents.state-emergency']
    if (isUndecided(consent)) return ['waiting', 'consents.state-emergency-asked']
  }
  switch (consent.status) {
    case 'asked':
      return ['waiting', 'consents.state-asked']
    case 'requested':
      return ['waiting', 'consents.state-requested']
    case 'granted':
      return ['live', isLess(consent) ? 'consents.state-granted-less' : 'consents.state-granted']
    case 'denied':
      return ['stopped', 'consents.state-denied']
    case 'expired':
      return ['calm', 'consents.state-expired']
    case 'revoked':
      return ['stopped', 'consents.state-revoked']
    case 'failed':
      return ['stopped', 'consents.state-failed']
  }
}

/** Places that data is waited for from: their names go into the sentence. */
export const isWaitedFor = ({ state }: Place): boolean =>
  state === 'checking' || state === 'waiting' || state === 'coming'
export const hasCome = ({ state, documents }: Place): boolean => (state === 'here' || state === 'part') && documents > 0
