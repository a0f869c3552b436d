import { z } from 'zod'
import { LIMITS } from '../kernel/limits.ts'

/** The schema of a text that a parser of the kernel reads; `must` says what it should be. */
export function parsedText<T>(parse: (text: string) => T | undefined, must: string) {
  return z
    .string()
    .max(LIMITS.textCharsMax)
    .transform((text, ctx) => {
      const value = parse(text)
      if (value !== undefined) return value
      ctx.addIssue({ code: 'custom', message: must })
      return z.NEVER
    })
}
