import { z } from 'zod'
import type { ConsentNeeds } from '../consent/commands.ts'
import { EMERGENCY_REASONS, type EmergencyReason } from '../consent/emergency.ts'
import { openEmergency } from '../consent/emergency-commands.ts'
import { type Route, route } from '../http/route.ts'
import { shownName, shownWords } from '../http/shown-words.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal } from '../kernel/refusal.ts'
import { consentInit, type consentOnInit, toldFields } from './consent-messages.ts'
import { proposalOf, refusedBody } from './exchange-consent-routes.ts'
import { ownFacility } from './rules.ts'
import { sendToFacility } from './send.ts'

const text = z.string().trim().min(1).max(LIMITS.textCharsMax)
const name = shownName(LIMITS.textCharsMax)

/** `POST /v1/emergencies`: the body of an ABDM consent init, and why there is no time to ask. */
const emergencyOrder = consentInit
  .extend({
    emergency: z.object({
      reason: z.enum(Object.keys(EMERGENCY_REASONS) as [EmergencyReason, ...EmergencyReason[]]),
      words: shownWords(1_000).trim().min(10),
      person: z.object({ name, role: name, registration: text.optional() }),
    }),
  })
  .meta({ id: 'EmergencyOrder' })

/** Breaking the glass, beyond ABDM: the answers are ABDM's own callbacks (on-init, then notify with the artefacts). */
export function exchangeEmergencyRoutes(needs: ConsentNeeds): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/v1/emergencies',
      summary:
        'A named person of a hospital opens a patient’s records in an emergency, for minutes; the patient is told at once',
      dialect: 'native',
      auth: 'partner',
      scope: 'system/Consent.c',
      once: true,
      body: emergencyOrder,
      answers: {
        202: { description: 'Opened, or refused: the callback on-init says which, with the REQUEST-ID of this call.' },
      },
      handle: async (call) => {
        const hiu = ownFacility(call, call.body.consent.hiu.id)
        if (isRefusal(hiu)) return hiu
        const { registration, ...person } = call.body.emergency.person
        const { opened, heard } = await openEmergency(call.tx, needs, {
          proposal: proposalOf(call.body.consent),
          requestId: call.requestId,
          emergency: {
            ...call.body.emergency,
            person: { ...person, ...(registration === undefined ? {} : { registration }) },
          },
        })
        if (!isRefusal(opened)) return { status: 202 }
        const body = {
          ...refusedBody(opened, call.requestId),
          ...toldFields(heard),
        } satisfies z.input<typeof consentOnInit>
        // However long the facility is away: until it hears that she was not told, nobody tells her.
        const path = '/api/v3/hiu/consent/request/on-init'
        await sendToFacility(call.tx, { facility: hiu, as: 'hiu', path, body, lasting: true })
        return { status: 202 }
      },
    }),
  ]
}
