import { z } from 'zod'
import { TEXT_LANGUAGES } from './people/texts.ts'

/** Where text messages (OTP) go: POST {mobile, text}. `sandbox`: they stay here and are shown here. */
export const textMessages = (url: z.ZodType<string>) =>
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('webhook'), url }).strict(),
    z.object({ kind: z.literal('sandbox') }).strict(),
  ])

/** In which language a facility writes text messages to its patients. */
export const textLanguage = z.enum(TEXT_LANGUAGES).default('en')
