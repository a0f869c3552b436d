import { type Route, route } from '../http/route.ts'
import { staffOf } from '../kernel/caller.ts'
import { parseId } from '../kernel/id.ts'
import { isRefusal, refuse } from '../kernel/refusal.ts'
import { askFromTemplate, askOnceMore, type DeskConsentNeeds, listDeskConsents, readDeskConsent } from './consents.ts'
import { lookAtList, lookAtPatient } from './looks.ts'
import { consentsQuery, deskAsk } from './messages.ts'

const common = { dialect: 'native', auth: 'staff' } as const
const unknown = { 404: { description: 'There is none that you may see.' } }

/** Asking for consent from templates, and following what comes of it. */
export function deskConsentRoutes(needs: DeskConsentNeeds): readonly Route[] {
  return [...readRoutes(needs), askRoute(needs), ...againRoutes(needs)]
}

function readRoutes(needs: DeskConsentNeeds): readonly Route[] {
  return [
    route({
      ...common,
      method: 'GET',
      path: '/v1/desk/consents',
      act: 'consent.see',
      summary: 'Consents that this facility asked for, as far as the role sees them: waiting, live or ended.',
      once: false,
      query: consentsQuery,
      answers: { 200: { description: 'Consents, latest first, each with its progress.' } },
      handle: async ({ tx, caller, query }) => {
        const staff = staffOf(caller)
        const consents = await listDeskConsents(tx, needs, staff, query)
        if (isRefusal(consents)) return consents
        if (query.patient === undefined)
          await lookAtList(tx, needs, staff, `consents ${query.state ?? ''}`.trim(), consents.length)
        else await lookAtPatient(tx, needs, staff, query.patient)
        return { status: 200, body: { consents } }
      },
    }),
    route({
      ...common,
      method: 'GET',
      path: '/v1/desk/consents/:id',
      act: 'consent.see',
      summary: 'One consent: what was asked, what the patient allowed, and from where data has come.',
      once: false,
      answers: { 200: { description: 'The consent.' }, ...unknown },
      handle: async ({ tx, caller, params }) => {
        const staff = staffOf(caller)
        const id = parseId<'hiu-consent'>(params['id'] ?? '')
        const consent = id === undefined ? refuse('hiu/unknown-consent') : await readDeskConsent(tx, needs, staff, id)
        if (isRefusal(consent)) return consent
        const { reference } = consent.patient
        if (reference !== undefined) await lookAtPatient(tx, needs, staff, reference)
        return { status: 200, body: consent }
      },
    }),
  ]
}

function askRoute(needs: DeskConsentNeeds): Route {
  return route({
    ...common,
    method: 'POST',
    path: '/v1/desk/consents',
    act: 'consent.ask',
    summary: 'Asks a patient for what a template asks, or less. The requester is the person who signed in.',
    once: true,
    body: deskAsk,
    answers: {
      202: { description: 'Asked; the id of the consent.' },
      400: { description: 'More than the template asks for.' },
      404: { description: 'No such patient, or no such template for this role.' },
      409: { description: 'The patient has no ABHA address here.' },
    },
    handle: async ({ tx, caller, body }) => {
      const { patient, template, hip, ...rest } = body
      const { name } = hip ?? {}
      const provider = hip === undefined ? {} : { hip: { id: hip.id, ...(name === undefined ? {} : { name }) } }
      const id = await askFromTemplate(tx, needs, staffOf(caller), {
        patient,
        template,
        adjustment: { ...rest, ...provider },
      })
      return isRefusal(id) ? id : { status: 202, body: { id } }
    },
  })
}

function againRoutes(needs: DeskConsentNeeds): readonly Route[] {
  const kinds = [
    ['refresh', 'status', 'Asks the exchange where a consent stands, when news may have been lost.'],
    ['fetch', 'data', 'Asks for the data again, as often as the consent permits.'],
  ] as const
  return kinds.map(([path, what, summary]) =>
    route({
      ...common,
      method: 'POST',
      path: `/v1/desk/consents/:id/${path}`,
      act: 'consent.ask',
      summary,
      once: true,
      answers: {
        202: { description: 'Asked.' },
        ...unknown,
        409: { description: 'Not now: the exchange has not taken it yet, or nothing is in force.' },
        429: { description: 'The consent permits no further request now.' },
      },
      handle: async ({ tx, caller, params }) => {
        const id = parseId<'hiu-consent'>(params['id'] ?? '')
        const asked =
          id === undefined ? refuse('hiu/unknown-consent') : await askOnceMore(tx, needs, staffOf(caller), id, what)
        return isRefusal(asked) ? asked : { status: 202 }
      },
    }),
  )
}
