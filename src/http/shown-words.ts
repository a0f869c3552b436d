import { z } from 'zod'
import { faultOfName, faultOfNameInText, faultOfWords } from '../kernel/shown-words.ts'

/** Words of a message that people read, as they were written. */
export const shownWords = (charsMax: number) => z.string().max(charsMax).superRefine(by(faultOfWords))

/** A name in a message: of a person, of a facility. Blanks around it go. */
export const shownName = (charsMax: number) =>
  z
    .string()
    .trim()
    .min(1, { error: 'must have a letter or a digit', abort: true })
    .max(charsMax)
    .superRefine(by(faultOfName))

/** {@link shownName} of who is named in text messages to patients, too. */
export const toldName = (charsMax: number) => shownName(charsMax).superRefine(by(faultOfNameInText))

function by(faultOf: (text: string) => string | undefined): (text: string, ctx: z.RefinementCtx) => void {
  return (text, ctx) => {
    const message = faultOf(text)
    if (message !== undefined) ctx.addIssue({ code: 'custom', message })
  }
}
