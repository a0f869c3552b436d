import { randomUUID } from 'node:crypto'
import type { AbhaAddress, Id } from '../src/kernel/id.ts'
import type { StepUpAct } from '../src/kernel/step-up-act.ts'
import { tieAll } from '../src/keys/tie-existing.ts'
import { insertStepUp } from '../src/people/step-up-store.ts'
import { ASHA, HOSPITAL, LAB, type Reply, SESSION, type TestExchange } from './consent-exchange.ts'
import { RANGE, REPORT, VISITS } from './consent-steps.ts'

/** The steps of the patient app, over HTTP; proofs anew stand in the table as if a code had been typed. */
export function meSteps(exchange: () => TestExchange) {
  const post = (path: string, body: object = {}, headers: Record<string, string> = {}, who: AbhaAddress = ASHA) =>
    exchange().asPatient(who, 'POST', `/v1/me/${path}`, body, { 'idempotency-key': randomUUID(), ...headers })
  const get = (path: string, who: AbhaAddress = ASHA) => exchange().asPatient(who, 'GET', `/v1/me/${path}`)

  async function proved(act: StepUpAct, subject: string, change: object = {}): Promise<string> {
    const id = randomUUID() as Id<'step-up'>
    const nothing = { codeHash: undefined, challenge: undefined, origin: undefined }
    const expiresAt = new Date(exchange().clock.now().getTime() + 300_000)
    await exchange().inTx(async (tx) => {
      await insertStepUp(tx, { id, session: SESSION, act, subject, expiresAt, ...nothing })
      await tx.db
        .updateTable('step_up')
        .set({ status: 'proved', tie: '', ...change })
        .where('id', '=', id)
        .execute()
      await tieAll(tx.db)
    })
    return id
  }
  const noticed = async (request: string, headers: Record<string, string> = {}): Promise<string> =>
    String((await post(`requests/${request}/notice`, { language: 'en' }, headers)).body['id'])

  const eraseAt = () => new Date(exchange().clock.now().getTime() + 20 * 86_400_000).toISOString()
  const hospital = (change: object = {}): object => ({
    hip: HOSPITAL,
    hiTypes: ['OPConsultation'],
    careContexts: [VISITS[0]],
    period: RANGE,
    eraseAt: eraseAt(),
    ...change,
  })
  const laboratory = (change: object = {}): object => ({
    hip: LAB,
    hiTypes: ['DiagnosticReport'],
    careContexts: [REPORT],
    period: RANGE,
    eraseAt: eraseAt(),
    ...change,
  })

  /** Shows the notice, proves anew, and allows. */
  async function allow(
    request: string,
    consents: readonly object[] = [hospital()],
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const body = await allowing(request, consents, headers)
    return post(`requests/${request}/allow`, body, headers)
  }
  async function allowing(request: string, consents: readonly object[], headers: Record<string, string> = {}) {
    return { notice: await noticed(request, headers), stepUp: await proved('consent.grant', request), consents }
  }
  return { post, get, proved, noticed, hospital, laboratory, allow, allowing, eraseAt }
}

/** The registered code of a refusal on our own wire. */
export function codeOf(reply: Pick<Reply, 'body'>): string {
  return String(reply.body['type']).replace('urn:amanat:problem:', '')
}
