import type { Veil } from '../../src/db/veil.ts'

export * from '../../src/db/veil.ts'

export const sealed = (text: string): string => text
export const sealedOrNull = (text: string | null | undefined): string | null => text ?? null
export const sealedJson = (value: unknown): string => JSON.stringify(value)
export const sealedJsonText = (json: string): string => json

export const pseudonym = (text: string): string => text
export const pseudonymOf = (_within: string, text: string): string => text

export function makeVeil(): Veil {
  const asItIs = (text: string): string => text
  return { cover: asItIs, lift: asItIs, liftJson: asItIs }
}
