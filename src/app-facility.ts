import { statSync } from 'node:fs'
import type { Logger } from 'pino'
import { type ExchangeKeys, makeExchangeKeys } from './abdm/exchange-keys.ts'
import { type FacilityHipNeeds, facilityHipRoutes } from './abdm/facility-hip-routes.ts'
import { facilityHiuRoutes } from './abdm/facility-hiu-routes.ts'
import { type ExchangeAccess, facilitySender, makeSessionTokens, type SessionTokens } from './abdm/facility-sender.ts'
import { hipFailures, hipReactions } from './abdm/hip-reactions.ts'
import { type HiuReactionNeeds, hiuFailures, hiuReactions } from './abdm/hiu-reactions.ts'
import { lookReactions } from './abdm/look-reactions.ts'
import { facilityRightsReactions } from './abdm/rights-reactions.ts'
import { makeTransferReports } from './abdm/transfer-reports.ts'
import type { Ground, Parts } from './app-parts.ts'
import type { OwnLog } from './audit/log.ts'
import { ConfigFault, type FacilityConfig } from './config.ts'
import type { Machine } from './db/tx.ts'
import { deskChores } from './desk/jobs.ts'
import { overdueChore } from './desk/overdue.ts'
import { deskRoutes } from './desk/routes.ts'
import { hipChores, hipJobs } from './hip/jobs.ts'
import { hipRoutes } from './hip/routes.ts'
import { eraseCopyAgain } from './hiu/erase.ts'
import { hiuChores, hiuJobs } from './hiu/jobs.ts'
import { hiuRoutes } from './hiu/routes.ts'
import type { Outbound } from './http/outbound.ts'
import type { Route } from './http/route.ts'
import type { Authenticate } from './http/server.ts'
import { webOriginsOf } from './http/web-origin.ts'
import { emergencyChore } from './incidents/jobs.ts'
import type { TellNeeds } from './incidents/tell.ts'
import { emergencyReactions, noteTextUndelivered } from './incidents/tell-commands.ts'
import type { Chore } from './jobs/schedule.ts'
import { parseAbhaAddress } from './kernel/id.ts'
import { isRefusal, refuse } from './kernel/refusal.ts'
import { deskProofRoutes } from './native/desk-proof-routes.ts'
import { deskRecoveryRoutes } from './native/desk-recovery-routes.ts'
import { deskSessionRoutes } from './native/desk-session-routes.ts'
import { deskSignInRoutes } from './native/desk-sign-in-routes.ts'
import { deskSsoRoutes } from './native/desk-sso-routes.ts'
import { deskStaffRoutes } from './native/desk-staff-routes.ts'
import { facilityPartnerRoutes } from './native/facility-partner-routes.ts'
import { deskLiveRoute } from './native/live-routes.ts'
import { facilityQuestionRoutes } from './native/question-routes.ts'
import { makeOwnClient, type OwnClient } from './partners/own-client.ts'
import { REPORT_SCOPES } from './partners/scope.ts'
import { leakedPasswordsIn } from './people/known-passwords.ts'
import { makePasswordGate } from './people/password-gate.ts'
import { makeSsoProvider, type SsoProvider } from './people/sso-provider.ts'
import { staffChores } from './people/staff-jobs.ts'
import { readStaffSession } from './people/staff-session.ts'
import type { DeskNeeds } from './people/staff-sign-in.ts'
import { makeClamd } from './records/clamd.ts'
import { makeFhirSource } from './records/fhir-source.ts'
import { type FolderSource, makeFolderSource } from './records/folder-source.ts'
import { ownSource } from './records/own-source.ts'
import type { RecordSource } from './records/record.ts'
import type { Scanner } from './records/scanner.ts'
import { mayServeConsole, ownPageCheck } from './sandbox/console-guard.ts'
import { textMessagesRoute } from './sandbox/routes.ts'
import { sampleStaffRoutes } from './sandbox/sample-staff-routes.ts'
import { bearerOf } from './vault/token.ts'

export type FacilityNeeds = FacilityHipNeeds &
  HiuReactionNeeds &
  DeskNeeds &
  Pick<TellNeeds, 'textLanguage'> & {
    readonly exchangeKeys: ExchangeKeys
    /** Where the facility has a provider of single sign-on. */
    readonly sso?: SsoProvider
    /** Where the settings name one, nothing is taken, sent or kept that it has not looked at. */
    readonly scanner?: Scanner
    readonly ownLog: OwnLog
    readonly publicUrl: string
    readonly outbound: Outbound
    readonly sandbox: boolean
    /** Sources of records that the desk's reading screen does not show. */
    readonly recordsElsewhere: readonly ('folder' | 'fhir')[]
    /** Text messages stay here, where no phone is. */
    readonly keepsTexts: boolean
    /** Where the exchange serves the patient app, when it is one of ours. */
    readonly patientAppUrl?: string
  }

/** The facility role: holds records and uses those of others. */
export function facilityParts(config: FacilityConfig, ground: Ground): Parts {
  checkFolder(config)
  const { outbound, machine } = ground
  const { artefactSignature, nativeUrl, ...rest } = config.exchange
  const access: ExchangeAccess = { ...rest, nativeUrl }
  const tokens = makeSessionTokens(access, outbound)
  const headers = () => sessionHeaders(tokens, machine, access)
  const exchangeKeys = makeExchangeKeys({
    outbound,
    jwksUrl: `${access.baseUrl}/gateway/v3/certs`,
    // The national sandbox answers its keys to sessions only (protocol sheet 1.6).
    headers,
    now: machine.now,
    artefactSignature,
    // A national gateway signs its callbacks without saying for whom.
    ...(artefactSignature === 'rs256-jcs' ? { facility: config.id } : {}),
  })
  const needs = facilityNeeds(config, ground, exchangeKeys)
  const folder = config.records.folder === undefined ? undefined : makeFolderSource({ folder: config.records.folder })
  const hipNeeds = {
    ...needs,
    sources: [ownSource, ...(folder === undefined ? [] : [folder]), ...fhirSourcesOf(config, outbound)],
  }
  const hiuNeeds = {
    ...needs,
    transferReport: makeTransferReports({ ...needs, baseUrl: access.baseUrl, headers, tokenRefused: tokens.forget }),
  }
  return {
    routes: facilityRoutes(needs),
    reactions: [
      ...hipReactions(needs),
      ...hiuReactions(needs),
      ...lookReactions(needs),
      ...emergencyReactions(needs),
      ...facilityRightsReactions(needs),
    ],
    handlers: [...hipJobs(hipNeeds), ...hiuJobs(hiuNeeds)],
    failures: [...hipFailures(needs), ...hiuFailures(needs)],
    chores: [
      ...hipChores(machine, needs),
      ...hiuChores(machine, hiuNeeds),
      emergencyChore(machine, needs),
      ...staffChores(machine),
      ...deskChores(machine, needs),
      overdueChore(machine, needs.ownLog.signer.key.name),
      ...(folder === undefined ? [] : [watchFolder(folder, ground.log)]),
    ],
    forget: async (tx, { patient, scope }) => {
      const address = parseAbhaAddress(patient)
      if (address !== undefined) await eraseCopyAgain(tx, hiuNeeds, { artefact: scope, patient: address })
    },
    textUndelivered: (tx, about) => noteTextUndelivered(tx, needs, about),
    sender: facilitySender(access, tokens, ownClientOf(config.exchange, ground)),
    web: [{ path: '/desk', name: 'desk' }],
    missing: () => {
      return [tokens.trouble(), needs.scanner?.trouble()].filter((trouble) => trouble !== undefined)
    },
    authenticate: {
      bridge: nobody,
      patient: nobody,
      exchange: exchangeCheck(needs),
      staff: staffCheck(needs),
      console: mayServeConsole({ ...config, console: 'loopback' })
        ? ownPageCheck({ origins: webOriginsOf(config.publicUrl) })
        : nobody,
    },
  }
}

/** As whom this facility speaks on the native wire of an exchange of ours; behind another gateway there is none. */
function ownClientOf(
  { nativeUrl, clientId, certificate }: FacilityConfig['exchange'],
  { keys, outbound }: Ground,
): OwnClient | undefined {
  const [key] = keys.client
  if (nativeUrl === undefined || key === undefined) return undefined
  return makeOwnClient({
    outbound,
    baseUrl: nativeUrl,
    clientId,
    key,
    scopes: REPORT_SCOPES,
    boundByCertificate: certificate !== undefined,
  })
}

function facilityNeeds(config: FacilityConfig, ground: Ground, exchangeKeys: ExchangeKeys): FacilityNeeds {
  const { nativeUrl, cmId } = config.exchange
  const { oidc } = config.signIn
  const { malwareScanner } = config
  return {
    facility: { id: config.id, name: config.name },
    exchange: { id: cmId },
    indexKey: ground.keys.indexKey,
    publicUrl: config.publicUrl,
    keepsByLaw: config.keepsByLaw,
    outbound: ground.outbound,
    ownLog: ground.ownLog,
    exchangeKeys,
    reportsToExchange: nativeUrl !== undefined,
    sandbox: config.sandbox,
    recordsElsewhere: [
      ...(config.records.folder === undefined ? [] : (['folder'] as const)),
      ...(config.records.fhirServer === undefined ? [] : (['fhir'] as const)),
    ],
    textLanguage: config.textLanguage,
    keepsTexts: config.textMessages.kind === 'sandbox',
    web: { party: config.id, origins: webOriginsOf(config.publicUrl) },
    gate: makePasswordGate(),
    ...leakedOf(config),
    ...(malwareScanner === undefined ? {} : { scanner: makeClamd(malwareScanner, ground.log) }),
    ...(oidc === undefined ? {} : { sso: makeSsoProvider(oidc, ground.outbound) }),
    ...(nativeUrl === undefined ? {} : { patientAppUrl: webOriginsOf(nativeUrl).at(-1) ?? nativeUrl }),
  }
}

/** A file that cannot be used is said at the start: later it would be a password that nobody can set. */
function leakedOf({ signIn }: FacilityConfig): Pick<DeskNeeds, 'leaked'> {
  if (signIn.leakedPasswords === undefined) return {}
  try {
    return { leaked: leakedPasswordsIn(signIn.leakedPasswords) }
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unreadable'
    throw new ConfigFault(
      `signIn.leakedPasswords: ${signIn.leakedPasswords} cannot be used (${why}). Write a file with a line SHA1:COUNT for each password, sorted by hash.`,
    )
  }
}

/** Every route of a facility; also what the OpenAPI document is made from. */
export function facilityRoutes(needs: FacilityNeeds): readonly Route[] {
  return [
    ...facilityHipRoutes(needs),
    ...facilityHiuRoutes(needs),
    ...hipRoutes(needs),
    ...hiuRoutes(needs),
    ...deskSignInRoutes(needs),
    ...deskSessionRoutes(needs),
    ...deskProofRoutes(needs),
    ...deskRecoveryRoutes(needs),
    ...deskSsoRoutes(needs),
    ...deskStaffRoutes(needs),
    ...deskRoutes(needs),
    deskLiveRoute(),
    ...facilityQuestionRoutes(needs),
    ...facilityPartnerRoutes(needs),
    ...(needs.sandbox || needs.keepsTexts ? [textMessagesRoute()] : []),
    ...(needs.sandbox ? sampleStaffRoutes(needs) : []),
  ]
}

function fhirSourcesOf(config: FacilityConfig, outbound: Outbound): readonly RecordSource[] {
  const { fhirServer } = config.records
  if (fhirServer === undefined) return []
  const { url, documentsBy, authorization } = fhirServer
  return [
    makeFhirSource({
      outbound,
      baseUrl: url,
      documentsBy,
      headers: async () => (authorization === undefined ? {} : { authorization }),
    }),
  ]
}

/** A folder that is not there is a slip in the settings: better said at the start than missed by whoever waits for its documents. */
function checkFolder({ records }: FacilityConfig): void {
  if (records.folder === undefined || statSync(records.folder, { throwIfNoEntry: false })?.isDirectory()) return
  throw new ConfigFault(`records.folder: there is no folder ${records.folder}. Make it, or leave the setting out.`)
}

const FOLDER_EVERY_MS = 60_000

/** Says once in the log which files of the documents folder are not served, and why: nobody waits for them in vain. */
function watchFolder(folder: FolderSource, log: Logger): Chore {
  let said: ReadonlySet<string> = new Set()
  return {
    name: 'watch the documents folder',
    everyMs: FOLDER_EVERY_MS,
    run: async () => {
      const found = (await folder.findings()).map(({ file, why }) => ({ file, why, line: `${file}: ${why}` }))
      for (const { file, why, line } of found)
        if (!said.has(line)) log.warn({ file, why }, 'a document of the folder is not served')
      // What is gone or mended is forgotten: its file may break again.
      said = new Set(found.map(({ line }) => line))
    },
  }
}

/** Our session at the exchange as headers; without a session the call goes out bare and is refused, and is tried again. */
async function sessionHeaders(
  tokens: SessionTokens,
  machine: Machine,
  access: ExchangeAccess,
): Promise<Readonly<Record<string, string>>> {
  const token = await tokens.token(machine)
  const base = { 'X-CM-ID': access.cmId }
  return typeof token === 'string' ? { ...base, authorization: `Bearer ${token}` } : base
}

const nobody: Authenticate = async () => refuse('request/not-found')

/** The person of the staff whose cookie came with the call. */
function staffCheck(needs: FacilityNeeds): Authenticate {
  return async (tx, headers, request) => {
    const found = await readStaffSession(tx, needs.web, { ...request, headers })
    return isRefusal(found) ? found : found.caller
  }
}

/** A callback is believed when the exchange signed its token (protocol sheet 1.6). */
function exchangeCheck(needs: FacilityNeeds): Authenticate {
  return async (_tx, headers) => {
    const token = bearerOf(headers['authorization'])
    if (token === undefined) return refuse('auth/missing-token')
    const verdict = await needs.exchangeKeys.verifyCallback(token)
    return isRefusal(verdict) ? verdict : { kind: 'exchange', id: needs.exchange.id }
  }
}
