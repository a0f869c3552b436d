import { CONSENT_FAILURES, consentReactions } from './abdm/consent-reactions.ts'
import { exchangeConsentRoutes } from './abdm/exchange-consent-routes.ts'
import { exchangeDataRoutes } from './abdm/exchange-data-routes.ts'
import { exchangeEmergencyRoutes } from './abdm/exchange-emergency-routes.ts'
import { exchangeGatewayRoutes } from './abdm/exchange-gateway-routes.ts'
import { exchangeLinkingReactions, linkingUndelivered } from './abdm/exchange-linking-reactions.ts'
import { exchangeLinkingRoutes } from './abdm/exchange-linking-routes.ts'
import { exchangeLockerRoutes } from './abdm/exchange-locker-routes.ts'
import { exchangeOperatorRoutes } from './abdm/exchange-operator-routes.ts'
import { exchangeOwnAppRoutes } from './abdm/exchange-own-app-routes.ts'
import { exchangePatientRoutes } from './abdm/exchange-patient-routes.ts'
import { exchangeSender } from './abdm/exchange-sender.ts'
import { exchangeShareReactions, shareUndelivered } from './abdm/exchange-share-reactions.ts'
import { exchangeShareRoutes } from './abdm/exchange-share-routes.ts'
import { exchangeSubscriptionReactions, subscriptionEventUndelivered } from './abdm/exchange-subscription-reactions.ts'
import { exchangeSubscriptionRoutes } from './abdm/exchange-subscription-routes.ts'
import { ownAppReactions } from './abdm/own-app-reactions.ts'
import { EXCHANGE_RIGHTS_FAILURES, exchangeRightsReactions } from './abdm/rights-reactions.ts'
import type { Ground, Parts } from './app-parts.ts'
import type { OwnLog } from './audit/log.ts'
import type { ExchangeConfig } from './config.ts'
import { endShutOutJob, expiryChore, requestTextJobs } from './consent/jobs.ts'
import { noteTextUndelivered } from './consent/request-text-commands.ts'
import type { SigningKey } from './crypto/signature.ts'
import type { Route } from './http/route.ts'
import type { Authenticate } from './http/server.ts'
import { webOriginsOf } from './http/web-origin.ts'
import { parseAbhaAddress } from './kernel/id.ts'
import { isRefusal, refuse } from './kernel/refusal.ts'
import { ANSWER_DUE_JOB } from './linking/discovery-commands.ts'
import { answerDue, attemptsChore } from './linking/jobs.ts'
import { linkingReactions } from './linking/reactions.ts'
import { accountRoutes } from './native/account-routes.ts'
import { closingRoutes } from './native/closing-routes.ts'
import { exchangePartnerRoutes } from './native/exchange-partner-routes.ts'
import { guardianRoutes } from './native/guardian-routes.ts'
import { patientLiveRoute } from './native/live-routes.ts'
import { meClosingRoutes } from './native/me-closing-routes.ts'
import { myLinkingRoutes } from './native/me-linking-routes.ts'
import { mePolicyRoutes } from './native/me-policy-routes.ts'
import { meProofRoutes } from './native/me-proof-routes.ts'
import { myRecordRoutes } from './native/me-record-routes.ts'
import { meRequestRoutes } from './native/me-request-routes.ts'
import { meSessionRoutes } from './native/me-session-routes.ts'
import { meSignInRoutes } from './native/me-sign-in-routes.ts'
import { meSubscriptionRoutes } from './native/me-subscription-routes.ts'
import { patientRoutes } from './native/patient-routes.ts'
import { answerRoute } from './native/question-routes.ts'
import { reportRoutes } from './native/report-routes.ts'
import { withholdingRoutes } from './native/withholding-routes.ts'
import type { Contact } from './notices/notices.ts'
import { verifySession } from './partners/session-commands.ts'
import { verifyPatientToken } from './people/commands.ts'
import { patientOfSession } from './people/patient-session.ts'
import type { WebNeeds } from './people/session-commands.ts'
import { SIGN_IN_JOB, signInJob } from './people/sign-in-commands.ts'
import { eraseAccountAgain } from './rights/closing-commands.ts'
import { closeAccountJob, closingChore } from './rights/closing-jobs.ts'
import { makeConsole, type SandboxConsole } from './sandbox/console.ts'
import { frontPageRoutes } from './sandbox/front-page.ts'
import { sandboxRoutes } from './sandbox/routes.ts'
import { makeNetworkWatch } from './sandbox/watch.ts'
import { ownFetchChore, ownFetchJobs } from './transfer/own-fetch-jobs.ts'
import { ownFetchReactions } from './transfer/own-fetch-reactions.ts'
import { bearerOf } from './vault/token.ts'

export type ExchangeNeeds = {
  readonly exchange: { readonly id: string; readonly name: string }
  readonly signingKey: SigningKey
  readonly indexKey: Uint8Array
  readonly publicUrl: string
  readonly ownLog: OwnLog
  readonly sandbox: boolean
  readonly web: WebNeeds
  readonly contact: Contact
}

/** What becomes of a message that could not be delivered. */
const FAILURES: Parts['failures'] = [
  ...CONSENT_FAILURES,
  ...EXCHANGE_RIGHTS_FAILURES,
  ['linking.undelivered', linkingUndelivered],
  ['linking.share-undelivered', shareUndelivered],
  ['linking.event-undelivered', subscriptionEventUndelivered],
]

/** The exchange role: consent manager of a network. */
export function exchangeParts(config: ExchangeConfig, ground: Ground): Parts {
  const needs: ExchangeNeeds = {
    exchange: { id: config.id, name: config.name },
    signingKey: ground.keys.signing,
    indexKey: ground.keys.indexKey,
    publicUrl: config.publicUrl,
    ownLog: ground.ownLog,
    sandbox: config.sandbox,
    web: { party: config.id, origins: webOriginsOf(config.publicUrl) },
    contact: contactOf(config),
  }
  const watch = makeNetworkWatch(ground)
  const sandboxConsole = makeConsole(config, ground)
  return {
    routes: [
      ...exchangeRoutes(needs),
      ...(needs.sandbox ? frontPageRoutes({ ...needs, watch, doors: doorsOf(config, sandboxConsole) }) : []),
      ...(sandboxConsole?.routes ?? []),
    ],
    reactions: [
      ...consentReactions(needs),
      ...exchangeLinkingReactions,
      ...exchangeShareReactions,
      ...linkingReactions,
      ...exchangeSubscriptionReactions,
      ...ownFetchReactions(needs),
      ...ownAppReactions(needs),
      ...exchangeRightsReactions,
    ],
    handlers: [
      [ANSWER_DUE_JOB, answerDue],
      [SIGN_IN_JOB, signInJob(needs)],
      closeAccountJob,
      endShutOutJob,
      ...requestTextJobs(needs),
      ...ownFetchJobs(needs),
    ],
    failures: FAILURES,
    chores: [
      expiryChore(ground.machine),
      attemptsChore(ground.machine),
      ownFetchChore(ground.machine, needs),
      closingChore(ground.machine),
      ...(needs.sandbox ? [watch.chore] : []),
      ...(sandboxConsole === undefined ? [] : [sandboxConsole.chore]),
    ],
    sender: exchangeSender(needs),
    textUndelivered: (tx, about) => noteTextUndelivered(tx, needs, about),
    forget: async (tx, { patient, scope }) => {
      const address = parseAbhaAddress(patient)
      if (scope === 'patient' && address !== undefined) await eraseAccountAgain(tx, address)
    },
    web: [
      { path: '/me', name: 'patient' },
      ...(sandboxConsole === undefined ? [] : [{ path: '/sandbox', name: 'console' } as const]),
    ],
    missing: () => [],
    authenticate: {
      bridge: bridgeCheck(needs),
      patient: patientCheck(needs),
      exchange: async () => refuse('request/not-found'),
      staff: async () => refuse('request/not-found'),
      console: sandboxConsole?.authenticate ?? (async () => refuse('request/not-found')),
    },
  }
}

/** Who answers patients' questions; a sandbox whose settings name nobody says that it is one. */
function contactOf({ contact, name }: ExchangeConfig): Contact {
  if (contact === undefined) return { name: `${name} (sandbox)`, email: 'questions@sandbox.example' }
  const { phone } = contact
  return { name: contact.name, email: contact.email, ...(phone === undefined ? {} : { phone }) }
}

/** What people may open in a sandbox, for its front page. */
function doorsOf({ id, sandboxParties }: ExchangeConfig, sandboxConsole: SandboxConsole | undefined) {
  const desks = sandboxParties.map((party) => party.id).filter((party) => party !== id)
  return { console: sandboxConsole !== undefined, desks }
}

/** Every route of the exchange; also what the OpenAPI document is made from. */
export function exchangeRoutes(needs: ExchangeNeeds): readonly Route[] {
  return [
    ...exchangeGatewayRoutes(needs),
    ...exchangeLinkingRoutes(needs),
    ...exchangeShareRoutes(),
    ...exchangeSubscriptionRoutes(),
    ...exchangeLockerRoutes(),
    ...exchangeConsentRoutes(needs),
    ...exchangePatientRoutes(needs),
    ...exchangeEmergencyRoutes(needs),
    ...exchangeDataRoutes(),
    ...patientRoutes(needs),
    ...withholdingRoutes(),
    ...myRecordRoutes(needs),
    ...myLinkingRoutes(),
    ...exchangeOwnAppRoutes(needs),
    ...meSessionRoutes(needs),
    ...meClosingRoutes(needs),
    ...closingRoutes(needs),
    ...accountRoutes(needs),
    ...guardianRoutes(needs),
    ...meSignInRoutes(needs),
    ...meProofRoutes(needs),
    ...meRequestRoutes(needs),
    ...mePolicyRoutes(),
    ...meSubscriptionRoutes(),
    patientLiveRoute(),
    answerRoute(),
    ...reportRoutes(),
    ...exchangePartnerRoutes(needs),
    ...exchangeOperatorRoutes(needs),
    ...(needs.sandbox ? sandboxRoutes(needs) : []),
  ]
}

function bridgeCheck(needs: ExchangeNeeds): Authenticate {
  return async (tx, headers) => {
    const token = bearerOf(headers['authorization'])
    return token === undefined ? refuse('auth/missing-token') : verifySession(tx, needs, token)
  }
}

/**
 * The patient's token decides who calls, else the cookie of the web app; the app's own session, where it is sent, must be good too
 * (protocol sheet 2.6).
 */
function patientCheck(needs: ExchangeNeeds): Authenticate {
  const bridge = bridgeCheck(needs)
  return async (tx, headers, request) => {
    if (headers['authorization'] !== undefined) {
      const app = await bridge(tx, headers, request)
      if (isRefusal(app)) return app
    }
    const token = bearerOf(headers['x-auth-token'])
    if (token !== undefined) return verifyPatientToken(tx, needs, token)
    const signedIn = await patientOfSession(tx, needs.web, { ...request, headers })
    // Decisions of the app go by /v1, where they ask for a proof anew; ABDM's own paths know none.
    if (signedIn !== undefined && !isRefusal(signedIn) && request.dialect === 'abdm' && request.method !== 'GET')
      return refuse('auth/forbidden', 'A session of the app reads here; what it changes goes by /v1.')
    if (signedIn !== undefined) return signedIn
    return request.dialect === 'abdm'
      ? refuse('auth/invalid-patient-token', 'X-AUTH-TOKEN is missing: send the patient’s session.', 'X-AUTH-TOKEN')
      : refuse('auth/no-session', 'Sign in to the app, or send the patient’s session as X-AUTH-TOKEN.')
  }
}
