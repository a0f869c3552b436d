import assert from 'node:assert/strict'
import type { Personality } from './fake-demands.ts'
import type { Ask } from './fake-hiu.ts'
import { at, textAt } from './json-path.ts'
import { TestNetwork, type ThirdParty } from './network.ts'
import { PatientApp } from './patient-app.ts'
import { ASHA, daysFromNow, heldPatient, heldRecord, LONG_AGO } from './people.ts'
import { waitFor } from './wait.ts'

export const HIP = 'IN2710000088'
export const HIU = 'IN2710000099'

/** An exchange of ours between a third party's hospital, with Asha's records linked, and a third party's clinic. */
export type World = {
  readonly network: TestNetwork
  readonly hospital: ThirdParty
  readonly clinic: ThirdParty
  readonly asha: PatientApp
  readonly stop: () => Promise<void>
}

export async function startWorld(asHip: Personality = 'care', asHiu: Personality = 'care'): Promise<World> {
  const network = await TestNetwork.start()
  try {
    await network.enrol(ASHA)
    const hospital = await network.join(asHip, HIP)
    const clinic = await network.join(asHiu, HIU)
    for (let i = 1; i <= 4; i++)
      hospital.hip.records.push(
        heldRecord(
          `visit-${i}`,
          i % 2 ? 'OPConsultation' : 'Prescription',
          JSON.stringify({ resourceType: 'Bundle', id: `b${i}` }),
        ),
      )
    const token = await hospital.hip.askLinkToken(heldPatient(ASHA))
    const linked = await hospital.hip.link(heldPatient(ASHA), textAt(token, 'linkToken'))
    assert.equal(at(linked, 'error'), undefined)
    return {
      network,
      hospital,
      clinic,
      asha: await PatientApp.open(network, ASHA.abhaAddress),
      stop: () => network.stop(),
    }
  } catch (error) {
    await network.stop()
    throw error
  }
}

export const usualAsk = (changes: Partial<Ask> = {}): Ask => ({
  patient: ASHA.abhaAddress,
  hiTypes: ['OPConsultation', 'Prescription'],
  from: LONG_AGO,
  to: daysFromNow(-1),
  eraseAt: daysFromNow(30),
  ...changes,
})

export type HeldConsent = { readonly id: string; readonly range: { readonly from: string; readonly to: string } }

/** Asks, grants, and waits until both sides hold the artefact and the exchange knows that the HIP does. */
export async function consented(world: World, changes: Partial<Ask> = {}): Promise<HeldConsent> {
  const request = await world.clinic.hiu.askFor(usualAsk(changes))
  const id = await world.asha.grant(request, HIP)
  const artefact = await waitFor('the artefact at the clinic', () => world.clinic.hiu.artefacts.get(id))
  if (world.hospital.hip.acknowledges) await acknowledged(world, id)
  return {
    id,
    range: {
      from: textAt(artefact.detail, 'permission.dateRange.from'),
      to: textAt(artefact.detail, 'permission.dateRange.to'),
    },
  }
}

/** Waits until the exchange noted that the HIP holds the artefact. */
export async function acknowledged(world: World, consent: string): Promise<void> {
  const wanted = async (): Promise<boolean> => {
    const { body } = await world.network.operator('sbx', '/v1/messages?limit=100')
    return (
      Array.isArray(body) &&
      body.some(
        (one) =>
          at(one, 'path') === '/api/hiecm/consent/v3/request/hip/on-notify' &&
          at(one, 'status') === 202 &&
          JSON.stringify(at(one, 'body')).includes(consent),
      )
    )
  }
  await waitFor('the acknowledgement of the HIP', wanted)
}
