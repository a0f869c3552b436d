import type { IconName } from '../ui/icon.tsx'
import type { Tone } from '../ui/state.tsx'
import type { FlowMessage } from './flow.ts'
import type { ConsoleKey } from './words.ts'

/** What came of a message, as its sender saw it. */
export type Outcome = {
  readonly tone: Tone
  readonly icon: IconName
  readonly words: ConsoleKey
  readonly isTrouble: boolean
}

export function outcomeOf({ status, error }: Pick<FlowMessage, 'status' | 'error'>): Outcome {
  if (error !== undefined || status === undefined)
    return { tone: 'stopped', icon: 'offline', words: 'console.no-answer', isTrouble: true }
  if (status < 400) return { tone: 'live', icon: 'check', words: 'console.arrived', isTrouble: false }
  return status < 500
    ? { tone: 'waiting', icon: 'stop', words: 'console.refused', isTrouble: true }
    : { tone: 'stopped', icon: 'warning', words: 'console.failed', isTrouble: true }
}

/** Versions, ids, and secrets that were cut out. */
const UNTOLD = /^(v\d+|\(.*|[0-9a-f]{8}-[0-9a-f-]{27})$/i

/** The last parts of a path, enough to know the message by. */
export function shortPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== 'api' && !UNTOLD.test(part))
  return parts.slice(-3).join('/')
}

/** `Tarangini Hospital` of `Tarangini Hospital, Pune`. */
export const shortName = (name: string): string => name.split(',')[0] ?? name
