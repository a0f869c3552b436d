import { z } from 'zod'
import type { Machine } from '../db/tx.ts'
import { parseJsonBody } from '../http/body.ts'
import { cookieOf, ofThisHost, setCookie } from '../http/cookie.ts'
import { parseForm } from '../http/form.ts'
import { type Answer, type Arrived, type Route, route } from '../http/route.ts'
import { staffActor, staffOf } from '../kernel/caller.ts'
import { parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { WebNeeds } from '../people/session-commands.ts'
import {
  linkBySso,
  makeQuestion,
  permitSso,
  readAnswer,
  readSsoLink,
  type SsoNeeds,
  type SsoProof,
  type SsoStarted,
  signInBySso,
  startSso,
  unlinkSso,
} from '../people/sso-commands.ts'
import { endSsoSessions } from '../people/sso-logout.ts'
import type { SsoProvider } from '../people/sso-provider.ts'
import type { DeskNeeds } from '../people/staff-sign-in.ts'
import { provedInput } from './desk-staff-messages.ts'
import { refuseElsewhere, signedIn } from './door.ts'

/** A facility may have no provider: its routes then say so. */
export type DeskSsoNeeds = DeskNeeds & { readonly sso?: SsoProvider }

const atTheDoor = { dialect: 'native', auth: 'none', once: false } as const
const mine = { dialect: 'native', auth: 'staff', once: false } as const

const answerInput = z
  .object({
    /** What stands behind the ? of the address to which the provider sent the browser. */
    query: z.string().min(1).max(8_192),
  })
  .meta({ id: 'SsoAnswer' })

const logoutForm = z.object({ logout_token: z.string() }).meta({ id: 'SsoLogout' })

/** Single sign-on of the staff: signing in, linking one's account, and who may link it unasked. */
export function deskSsoRoutes(needs: DeskSsoNeeds): readonly Route[] {
  return [...doorRoutes(needs), logoutRoute(needs), ...linkRoutes(needs), ...ownRoutes(needs), permitRoute(needs)]
}

const withProvider = (needs: DeskSsoNeeds): SsoNeeds | Refusal =>
  needs.sso === undefined ? refuse('staff/sso-off') : { ...needs, sso: needs.sso }

type Headers = Readonly<Record<string, string | undefined>>
const overTls = ({ origins }: WebNeeds): boolean => origins.every((origin) => origin.startsWith('https:'))
const cookieName = (web: WebNeeds): string =>
  ofThisHost(`amanat_sso_${web.party.replaceAll(/[^A-Za-z0-9]/g, '_')}`, overTls(web))
const stateOf = (web: WebNeeds, headers: Headers): string | undefined => cookieOf(headers['cookie'], cookieName(web))
/** The page that asks; a program that says nothing means the first of our addresses. */
const originOf = ({ origins }: WebNeeds, { origin }: Headers): string => origin ?? origins[0] ?? ''

/** The question for the provider, before the transaction; refused already for a page elsewhere and who guessed too often. */
async function ask(given: DeskSsoNeeds, machine: Machine, { headers, source }: Arrived): Promise<SsoStarted | Refusal> {
  const needs = mayAsk(given, machine, { headers, source })
  return isRefusal(needs) ? needs : makeQuestion(machine, needs, originOf(needs.web, headers))
}

/** Whom the provider's answer proves, before the transaction. */
async function hear(given: DeskSsoNeeds, machine: Machine, arrived: Arrived): Promise<SsoProof | Refusal> {
  const needs = mayAsk(given, machine, arrived)
  if (isRefusal(needs)) return needs
  const json = parseJsonBody(arrived.raw)
  // What is wrong with the body is said where bodies are checked.
  const body = answerInput.safeParse(isRefusal(json) ? undefined : json.value)
  if (!body.success) return refuse('staff/sso-refused')
  return readAnswer(machine, needs, { ...body.data, state: stateOf(needs.web, arrived.headers) })
}

function mayAsk(
  given: DeskSsoNeeds,
  machine: Machine,
  { headers, source }: Pick<Arrived, 'headers' | 'source'>,
): SsoNeeds | Refusal {
  const needs = withProvider(given)
  if (isRefusal(needs)) return needs
  return refuseElsewhere(needs.web, headers) ?? needs.gate.sources.mayTry(machine.now(), source) ?? needs
}

function started(web: WebNeeds, begun: SsoStarted): Answer {
  const cookie = setCookie(cookieName(web), begun.state, { lifeMs: LIMITS.ssoMs, isSecure: overTls(web) })
  return { status: 200, headers: { 'set-cookie': cookie }, body: { url: begun.url } }
}

function doorRoutes(given: DeskSsoNeeds): readonly Route[] {
  return [
    route({
      ...atTheDoor,
      method: 'POST',
      path: '/v1/desk/sign-in/sso',
      summary: 'Begins a single sign-on: where the browser goes; a cookie ties the answer to this browser',
      answers: {
        200: { description: 'The address of the provider' },
        404: { description: 'This facility has no single sign-on' },
        503: { description: 'The provider does not answer' },
      },
      prepare: (machine, arrived) => ask(given, machine, arrived),
      handle: async ({ tx, prepared }) => {
        if (isRefusal(prepared)) return prepared
        await startSso(tx, prepared)
        return started(given.web, prepared)
      },
    }),
    route({
      ...atTheDoor,
      method: 'POST',
      path: '/v1/desk/sign-in/sso/answer',
      summary: 'The answer of the provider: signs in, or gives a ticket for the second factor as a password does',
      body: answerInput,
      answers: {
        200: { description: 'Signed in, or a ticket' },
        401: { description: 'The answer does not hold' },
        403: { description: 'Nobody here is linked to it, or the account may not sign in' },
        503: { description: 'The provider does not answer' },
      },
      prepare: (machine, arrived) => hear(given, machine, arrived),
      handle: async ({ tx, prepared, headers, source }) => {
        const needs = withProvider(given)
        if (isRefusal(needs)) return needs
        const result = await signInBySso(tx, needs, { answer: prepared, userAgent: headers['user-agent'] })
        if (isRefusal(result) && result.code === 'staff/sso-refused') needs.gate.sources.count(tx.now, source)
        return isRefusal(result) || 'cookie' in result ? signedIn(result) : { status: 200, body: result }
      },
    }),
  ]
}

/** Called by the provider itself: no browser, no cookie; what lets it in is the token that it signed. */
function logoutRoute(given: DeskSsoNeeds): Route {
  return route({
    ...atTheDoor,
    method: 'POST',
    path: '/v1/desk/sign-in/sso/logout',
    summary:
      'The provider says that somebody signed out there: her sessions that began there end (OIDC Back-Channel Logout 1.0)',
    form: logoutForm,
    answers: {
      200: { description: 'They are over; also when there were none' },
      400: { description: 'No logout token of this provider for this facility, or used already' },
      404: { description: 'This facility has no single sign-on' },
      503: { description: 'The provider does not give its keys now; nobody was signed out. Say it again' },
    },
    prepare: async (machine, { raw, headers, source }) => {
      const needs = withProvider(given)
      if (isRefusal(needs)) return needs
      const slowed = needs.gate.sources.mayTry(machine.now(), source)
      if (slowed) return slowed
      const fields = parseForm(raw, headers['content-type'])
      const token = isRefusal(fields) ? undefined : fields.get('logout_token')
      return token === undefined ? refuse('staff/logout-refused') : needs.sso.logoutOf(machine.now(), token)
    },
    handle: async ({ tx, prepared, source }) => {
      const fault = isRefusal(prepared) ? prepared : await endSsoSessions(tx, prepared)
      if (fault?.code === 'staff/logout-refused') given.gate.sources.count(tx.now, source)
      return fault ?? { status: 200 }
    },
  })
}

function linkRoutes(given: DeskSsoNeeds): readonly Route[] {
  return [
    route({
      ...mine,
      method: 'POST',
      path: '/v1/desk/me/sso',
      summary: 'Begins to link her account with the single sign-on of the facility',
      body: provedInput,
      stepUp: { act: 'sso.link', subject: ({ caller }) => staffOf(caller).id },
      answers: { 200: { description: 'The address of the provider' }, 403: { description: 'No step-up' } },
      prepare: (machine, arrived) => ask(given, machine, arrived),
      handle: async ({ tx, caller, prepared }) => {
        if (isRefusal(prepared)) return prepared
        await startSso(tx, prepared, staffOf(caller).session)
        return started(given.web, prepared)
      },
    }),
    route({
      ...mine,
      method: 'POST',
      path: '/v1/desk/me/sso/answer',
      summary: 'The answer of the provider: her account is linked with it',
      body: answerInput,
      answers: {
        204: { description: 'Linked' },
        401: { description: 'The answer does not hold' },
        409: { description: 'One of both is linked already' },
      },
      prepare: (machine, arrived) => hear(given, machine, arrived),
      handle: async ({ tx, caller, prepared }) => {
        const needs = withProvider(given)
        if (isRefusal(needs)) return needs
        if (isRefusal(prepared)) return prepared
        return (await linkBySso(tx, needs, staffOf(caller), prepared)) ?? { status: 204 }
      },
    }),
  ]
}

function ownRoutes(given: DeskSsoNeeds): readonly Route[] {
  return [
    route({
      ...mine,
      method: 'GET',
      path: '/v1/desk/me/sso',
      summary: 'Whether this facility has a single sign-on, and whether her account is linked with it',
      answers: { 200: { description: 'The provider, and the link' } },
      handle: async ({ tx, caller }) => {
        const needs = withProvider(given)
        if (isRefusal(needs)) return { status: 200, body: { provider: null, link: null } }
        const link = await readSsoLink(tx, needs, staffOf(caller).id)
        const shown = link === undefined ? null : { linkedAt: link.linkedAt, usedAt: link.usedAt }
        return { status: 200, body: { provider: { name: needs.sso.settings.name }, link: shown } }
      },
    }),
    route({
      ...mine,
      method: 'DELETE',
      path: '/v1/desk/me/sso',
      summary: 'The single sign-on lets her in no more; her own ways to sign in stay',
      answers: { 204: { description: 'No longer linked' } },
      handle: async ({ tx, caller }) => {
        await unlinkSso(tx, given, staffOf(caller))
        return { status: 204 }
      },
    }),
  ]
}

function permitRoute(given: DeskSsoNeeds): Route {
  return route({
    ...mine,
    act: 'staff.change',
    method: 'POST',
    path: '/v1/desk/staff/:id/sso',
    summary: 'Allows a person to link her account at her next single sign-on, for a week',
    body: provedInput,
    stepUp: { act: 'staff.change', subject: ({ params }) => params['id'] ?? '' },
    answers: {
      200: { description: 'Until when' },
      403: { description: 'No step-up, or not for this' },
      404: { description: 'Nobody of the staff has this id, or this facility has no single sign-on' },
      409: { description: 'The account is not active' },
    },
    handle: async ({ tx, caller, params }) => {
      const needs = withProvider(given)
      if (isRefusal(needs)) return needs
      const id = parseId<'staff'>(params['id'] ?? '')
      if (id === undefined) return refuse('staff/unknown')
      const permitted = await permitSso(tx, { id, actor: staffActor(needs.facility.id, staffOf(caller)) })
      return isRefusal(permitted) ? permitted : { status: 200, body: permitted }
    },
  })
}
