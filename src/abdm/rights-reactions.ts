import type { z } from 'zod'
import type { Reaction, Tx } from '../db/tx.ts'
import type { FacilityId } from '../kernel/id.ts'
import { lookAbout, questionUndelivered, receivedQuestion } from '../rights/commands.ts'
import type { answerMessage, questionMessage } from '../rights/messages.ts'
import type { QuestionAsked, QuestionReceived, QuestionReplied } from '../rights/question.ts'
import { type FailureReaction, sendNative, sendToFacility } from './send.ts'

const UNDELIVERED = 'rights.question-undelivered'
/** That a question is there is never told after its answer. */
const lane = (question: string): string => `question:${question}`

/** At the exchange: hands a patient's question over to the facility, on our own wire. */
export const exchangeRightsReactions: readonly (readonly [type: string, reaction: Reaction])[] = [
  ['rights.question-asked', handOver],
]
export const EXCHANGE_RIGHTS_FAILURES: readonly (readonly [kind: string, reaction: FailureReaction])[] = [
  [UNDELIVERED, questionUndelivered],
]

async function handOver(tx: Tx, event: QuestionAsked): Promise<void> {
  const look = await lookAbout(tx, event.patient, event.about)
  const body: z.input<typeof questionMessage> = {
    id: event.subject,
    patient: event.patient,
    number: event.number,
    text: event.text,
    look: {
      at: look?.at ?? tx.now.toISOString(),
      person: look?.actor.person?.name ?? '',
      role: look?.actor.person?.role ?? '',
      // Of a page without records there is none.
      purpose: look !== undefined && 'purpose' in look ? look.purpose : '',
    },
    dueAt: event.dueAt,
  }
  await sendToFacility(tx, {
    facility: event.facility,
    as: 'hiu',
    path: '/v1/questions',
    body,
    failure: { kind: UNDELIVERED, id: event.subject },
  })
}

/** At a facility: tells the exchange that the question is here, and the answer. */
export function facilityRightsReactions(needs: {
  readonly facility: { readonly id: FacilityId }
}): readonly (readonly [type: string, reaction: Reaction])[] {
  const send = async (tx: Tx, question: string, body: z.input<typeof answerMessage>): Promise<void> => {
    await sendNative(tx, { from: needs.facility.id, path: '/v1/answers', body, lane: lane(question) })
  }
  return [
    [
      'rights.question-received',
      (tx: Tx, { subject }: QuestionReceived) => send(tx, subject, { question: subject, status: 'received' }),
    ],
    [
      'rights.question-replied',
      async (tx: Tx, { subject, patient, text }: QuestionReplied) => {
        const by = (await receivedQuestion(tx, patient, subject))?.answer?.by ?? needs.facility.id
        await send(tx, subject, { question: subject, status: 'answered', text, by })
      },
    ],
  ]
}
