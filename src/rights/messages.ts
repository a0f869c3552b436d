import { z } from 'zod'
import { parsedText } from '../http/parsed-text.ts'
import { parseAbhaAddress, parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { parsePlaceInParts } from '../kernel/list-place.ts'

const questionId = parsedText((text) => parseId<'question'>(text), 'must be a UUID')
const words = z.string().trim().min(1).max(LIMITS.questionCharsMax)
const short = z.string().max(LIMITS.textCharsMax)

/** `POST /v1/me/looks/:event/question`: what the patient asks about a look. */
export const questionOrder = z.object({ text: words }).strict().meta({ id: 'QuestionOrder' })

/** `POST /v1/questions` at a facility: the exchange hands over what a patient asks. */
export const questionMessage = z
  .object({
    id: questionId,
    patient: parsedText(parseAbhaAddress, 'must be an ABHA address such as asha.rao@sbx'),
    number: z.string().min(1).max(40),
    text: words,
    look: z.object({ at: z.iso.datetime(), person: short, role: short, purpose: short }),
    dueAt: z.iso.datetime(),
  })
  .meta({ id: 'QuestionMessage' })

/** `GET /v1/questions` and `GET /v1/desk/questions`: `after` is the `next` of an answer. */
export const questionsQuery = z.object({
  after: parsedText(
    (text) => parsePlaceInParts(text, (name) => parseId<'question'>(name)),
    'must be the `next` of an answer',
  ).optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeMax),
})

/** `POST /v1/answers` at the exchange: the facility has the question, or answers it. */
export const answerMessage = z
  .discriminatedUnion('status', [
    z.object({ question: questionId, status: z.literal('received') }),
    z.object({
      question: questionId,
      status: z.literal('answered'),
      text: words,
      /** Who answers, by name and role. */
      by: z.string().trim().min(1).max(LIMITS.textCharsMax),
    }),
  ])
  .meta({ id: 'AnswerMessage' })

/** `POST /v1/desk/questions/:patient/:id/answer`. */
export const answerOrder = z.object({ text: words }).strict().meta({ id: 'AnswerOrder' })

/** `POST /v1/questions/:patient/:id/answer`: by software of the facility, which says in whose name. */
export const namedAnswerOrder = z
  .object({ text: words, by: z.string().trim().min(1).max(LIMITS.textCharsMax) })
  .strict()
  .meta({ id: 'NamedAnswerOrder' })
