import type { z } from 'zod'
import type { Tx } from '../db/tx.ts'
import { type Route, route } from '../http/route.ts'
import { type Actor, operatorOf } from '../kernel/caller.ts'
import { parseAbhaAddress, parseFacilityId } from '../kernel/id.ts'
import { isRefusal, type Refusal, refuse } from '../kernel/refusal.ts'
import type { Facility } from '../partners/bridge.ts'
import {
  type Confirmation,
  confirmFacility,
  facilityById,
  listBridges,
  registerBridge,
  renewBridgeSecret,
  revokeBridge,
  saveServices,
  shutFacilityOut,
  unconfirmedFacilities,
  updateBridgeUrl,
} from '../partners/commands.ts'
import { countUnconfirmed } from '../partners/counts.ts'
import { enrolPatient, readPatient } from '../people/commands.ts'
import { changeMobile, type MobileNeeds } from '../people/mobile-commands.ts'
import type { Profile } from '../people/patient.ts'
import {
  bridgeAdmission,
  bridgeCredentials,
  bridgesQuery,
  facilityConfirmation,
  mobileChange,
  patientEnrolment,
  shutOutOrder,
} from './operator-messages.ts'

const operator = { dialect: 'native', auth: 'operator', once: false } as const

/** What operators of an exchange do: admit and shut out bridges, enrol patients. */
export function exchangeOperatorRoutes(needs: MobileNeeds): readonly Route[] {
  return [...bridgeRoutes(), ...facilityRoutes(), enrolRoute(needs), mobileRoute(needs)]
}

function bridgeRoutes(): readonly Route[] {
  return [
    route({
      ...operator,
      method: 'POST',
      path: '/v1/bridges',
      grave: true,
      summary: 'Admits a bridge with one facility; one that is known gets a new secret, URL and roles',
      body: bridgeAdmission,
      answers: { 201: { description: 'Client id and secret; the secret is shown once', schema: bridgeCredentials } },
      handle: async ({ tx, body, ...call }) => {
        const admitted = await admitBridge(tx, body, operatorOf(call.caller))
        return isRefusal(admitted) ? admitted : { status: 201, body: admitted }
      },
    }),
    route({
      ...operator,
      method: 'GET',
      path: '/v1/bridges',
      summary:
        'Bridges by client id, a page at a time, with callback URL and standing, and the services that wait to be confirmed',
      query: bridgesQuery,
      answers: {
        200: {
          description:
            'Bridges; with `next`, ask again with it as `after`. Services that bridges named and nobody has confirmed, oldest first, and how many there are',
        },
      },
      handle: async ({ tx, query }) => {
        const unconfirmed = (await unconfirmedFacilities(tx)).map(wireFacility)
        const unconfirmedCount = await countUnconfirmed(tx)
        return { status: 200, body: { ...(await listBridges(tx, query)), unconfirmed, unconfirmedCount } }
      },
    }),
    route({
      ...operator,
      method: 'POST',
      path: '/v1/bridges/:client/revoke',
      grave: true,
      summary:
        'Shuts a bridge out for good: it cannot log in, its sessions end, what was allowed to its facilities ends',
      answers: { 200: { description: 'Shut out' }, 404: { description: 'No such bridge' } },
      handle: async ({ tx, params, ...call }) => {
        const revoked = await revokeBridge(tx, { clientId: params['client'] ?? '', actor: operatorOf(call.caller) })
        return isRefusal(revoked) ? revoked : { status: 200 }
      },
    }),
  ]
}

const wireFacility = ({
  id,
  name,
  roles,
  status,
  standing,
  isGovernment,
  facilityTypes,
  bridge,
  shutOutAt,
}: Facility): object => ({
  id,
  name,
  roles,
  takesPart: status === 'active',
  standing,
  isGovernment,
  facilityTypes,
  bridge: bridge.clientId,
  ...(shutOutAt === undefined ? {} : { shutOutAt }),
})

/** A bridge names its services itself; an operator stands for who they are, and shuts one out without its bridge. */
function facilityRoutes(): readonly Route[] {
  return [
    route({
      ...operator,
      method: 'POST',
      path: '/v1/facilities/:facility/confirm',
      grave: true,
      summary: 'Confirms a facility that a bridge named, or takes back one that was shut out; what is left out stays',
      body: facilityConfirmation,
      answers: { 200: { description: 'It takes part' }, 404: { description: 'No such facility' } },
      handle: async ({ tx, params, body, ...call }) => {
        const id = parseFacilityId(params['facility'] ?? '')
        if (id === undefined) return refuse('partners/unknown-facility')
        const confirmed = await confirmFacility(tx, { id, says: saysOf(body), actor: operatorOf(call.caller) })
        return isRefusal(confirmed) ? confirmed : { status: 200, body: wireFacility(confirmed) }
      },
    }),
    route({
      ...operator,
      method: 'POST',
      path: '/v1/facilities/:facility/shut-out',
      grave: true,
      summary: 'Shuts one facility out: it asks nothing and gets nothing, and what was allowed to it ends',
      body: shutOutOrder,
      answers: { 200: { description: 'Shut out' }, 404: { description: 'No such facility' } },
      handle: async ({ tx, params, body, ...call }) => {
        const id = parseFacilityId(params['facility'] ?? '')
        if (id === undefined) return refuse('partners/unknown-facility')
        const out = await shutFacilityOut(tx, { id, reason: body.reason, actor: operatorOf(call.caller) })
        return isRefusal(out) ? out : { status: 200, body: wireFacility(out) }
      },
    }),
  ]
}

function saysOf({ name, roles, isGovernment, facilityTypes }: z.output<typeof facilityConfirmation>): Confirmation {
  return {
    ...(name === undefined ? {} : { name }),
    ...(roles === undefined ? {} : { roles }),
    ...(isGovernment === undefined ? {} : { isGovernment }),
    ...(facilityTypes === undefined ? {} : { facilityTypes }),
  }
}

function enrolRoute(needs: { readonly indexKey: Uint8Array }): Route {
  return route({
    ...operator,
    method: 'POST',
    path: '/v1/patients',
    summary: 'Enrols a patient; one who is enrolled already is left as they are',
    body: patientEnrolment,
    answers: { 201: { description: 'Enrolled' }, 200: { description: 'Was enrolled already' } },
    handle: async ({ tx, body, ...call }) => {
      if ((await readPatient(tx, body.abhaAddress)) !== undefined) return { status: 200 }
      const { email, address, guardian, guardianBasis, guardianAppointment, ...rest } = body
      const profile: Profile = {
        ...rest,
        ...(email === undefined ? {} : { email }),
        ...(address === undefined ? {} : { address }),
        ...(guardian === undefined ? {} : { guardian }),
        ...(guardianBasis === undefined ? {} : { guardianBasis }),
        ...(guardianAppointment === undefined ? {} : { guardianAppointment }),
      }
      const enrolled = await enrolPatient(tx, needs, { profile, actor: operatorOf(call.caller) })
      return isRefusal(enrolled) ? enrolled : { status: 201 }
    },
  })
}

/** For who has lost her number: the help desk has seen who she is, and the operator writes down the new one. */
function mobileRoute(needs: MobileNeeds): Route {
  return route({
    ...operator,
    method: 'PUT',
    path: '/v1/patients/:abhaAddress/mobile',
    grave: true,
    summary:
      'Gives a patient another mobile number; all her sessions and passkeys end, since the old phone may be in other hands',
    body: mobileChange,
    answers: { 204: { description: 'Changed' }, 404: { description: 'No such patient' } },
    handle: async ({ tx, body, params, ...call }) => {
      const patient = parseAbhaAddress(params['abhaAddress'] ?? '')
      if (patient === undefined) return refuse('people/unknown-patient')
      const { mobile } = body
      return (await changeMobile(tx, needs, { patient, mobile, actor: operatorOf(call.caller) })) ?? { status: 204 }
    },
  })
}

/** Registers, or renews: whoever lost the secret asks again and goes on. */
async function admitBridge(
  tx: Tx,
  input: z.output<typeof bridgeAdmission>,
  actor: Actor,
): Promise<z.output<typeof bridgeCredentials> | Refusal> {
  const { id, url } = input
  const { isGovernment, facilityTypes } = saysOf(input)
  const kind = {
    ...(isGovernment === undefined ? {} : { isGovernment }),
    ...(facilityTypes === undefined ? {} : { facilityTypes }),
  }
  const services = [{ id, name: input.name, roles: input.roles, isActive: true, ...kind }]
  const existing = await facilityById(tx, id)
  // Whose bridge was shut out comes back with another one.
  if (existing === undefined || existing.bridge.status === 'revoked')
    return registerBridge(tx, { name: input.name, url, services, actor })
  const { clientId } = existing.bridge
  const moved = await updateBridgeUrl(tx, { clientId, url, actor })
  if (isRefusal(moved)) return moved
  const saved = await saveServices(tx, { clientId, services, actor })
  if (isRefusal(saved)) return saved
  const renewed = await renewBridgeSecret(tx, { clientId, actor })
  return isRefusal(renewed) ? renewed : { clientId, clientSecret: renewed.clientSecret }
}
