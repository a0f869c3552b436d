import { tied, type Veil } from '../../src/db/veil.ts'

export * from '../../src/db/veil.ts'

export const sealed = (text: string): string => text
export const sealedOrNull = (text: string | null | undefined): string | null => text ?? null
export const sealedJson = (value: unknown): string => JSON.stringify(value)
export const sealedJsonText = (json: string): string => json

export const pseudonym = (text: string): string => text
export const pseudonymOf = (_within: string, text: string): string => text

/** A tie without keys: PostgreSQL knows no text that begins as a marked one does. */
const TIE = 'tie.'

export function makeVeil(): Veil {
  const mark = tied('')
  return {
    cover: (text) => (text.startsWith(mark) ? TIE + text.slice(mark.length) : text),
    lift: (stored) => (stored.startsWith(TIE) ? tied(stored.slice(TIE.length)) : stored),
    liftJson: (text) => text,
  }
}
