import type { DeskQuestions } from '../../../src/native/question-routes.ts'
import { parsePurpose } from '../../../src/policy/purpose.ts'
import type { Tone } from '../../ui/state.tsx'
import type { Wire } from '../wire.ts'
import type { DeskKey } from '../words.ts'

/** What `GET /v1/desk/questions` answers: open ones first, the next due first. */
export type Questions = Wire<DeskQuestions>
export type Question = Questions['questions'][number]

export const QUESTIONS_PATH = '/v1/desk/questions'

/** Whether the day of the answer has passed while nobody answered (DPDP Rules r.14(3)). */
export function isLate({ status, dueAt }: Question, now: Date): boolean {
  return status === 'open' && new Date(dueAt) < now
}

/** Tone and words of where a question stands; the words have a place for the day of the answer. */
export function stateOf(question: Question, now: Date): readonly [Tone, DeskKey] {
  if (question.status === 'answered') return ['live', 'questions.answered']
  return isLate(question, now) ? ['stopped', 'questions.late'] : ['waiting', 'questions.due']
}

/** The words of a reason that somebody gave for looking; undefined for one that is none of ABDM's. */
export function purposeKey(purpose: string): DeskKey | undefined {
  const code = parsePurpose(purpose)
  return code && `purpose.${code}`
}
