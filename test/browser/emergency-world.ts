import assert from 'node:assert/strict'
import { sampleDocument } from '../../src/fhir/sample-documents.ts'
import type { StaffCaller } from '../../src/kernel/caller.ts'
import type { Id } from '../../src/kernel/id.ts'
import type { StaffRole } from '../../src/kernel/staff-role.ts'
import { FacilityDesk } from '../facility-desk.ts'
import { textAt } from '../json-path.ts'
import { type Answer, callJson } from '../network.ts'
import { ASHA } from '../people.ts'
import { addStaff, codeOfStaff, type StaffHeaders, type StaffLogin, signInStaff } from '../staff.ts'
import { letStaffIn } from './desk-door.ts'
import { letPatientIn } from './patient-door.ts'
import { type JourneyLanguage, type Size, type Visitor, WebWorld } from './web-world.ts'

export const HOSPITAL = 'IN2710000011'
export const CENTRE = 'IN2910000022'
export const LAB = 'IN2710000033'
export const NAMES: Readonly<Record<string, string>> = {
  [HOSPITAL]: 'Tarangini Hospital, Pune',
  [CENTRE]: 'Vanashree Medical Centre, Bengaluru',
  [LAB]: 'Pratibimb Diagnostics, Pune',
}
export const MRN = 'MRN-1'
export const WORDS = 'Brought in after a road accident, not responding.'
const PATIENCE_MS = 60_000

/** A hospital that knows Asha, a medical centre that knows more of her, and a laboratory, which meets no emergencies. */
export class EmergencyWorld {
  readonly world: WebWorld
  private constructor(world: WebWorld) {
    this.world = world
  }

  static async start(): Promise<EmergencyWorld> {
    const kinds = { [HOSPITAL]: ['Hospital'], [CENTRE]: ['Hospital'], [LAB]: ['Diagnostic Laboratory'] }
    const world = await WebWorld.start({ facilities: [HOSPITAL, CENTRE, LAB], names: NAMES, kinds })
    const { network } = world
    await network.enrol(ASHA)
    const [hospital, centre, lab] = [HOSPITAL, CENTRE, LAB].map((id) => new FacilityDesk(network, id, PATIENCE_MS))
    assert.ok(hospital && centre && lab)
    for (const desk of [hospital, centre, lab]) await desk.addPatient(MRN, ASHA)
    await hospital.addDocument(MRN, 'visit-1', sampleDocument('OPConsultation'))
    await centre.addDocument(MRN, 'stay-1', sampleDocument('DischargeSummary'))
    await centre.link(MRN, 1)
    return new EmergencyWorld(world)
  }

  stop(): Promise<void> {
    return this.world.stop()
  }

  staff(role: StaffRole, login = `test.${role}`, facility = HOSPITAL): Promise<StaffLogin> {
    return addStaff(this.world.network, facility, role, login)
  }

  /** Somebody of the hospital at her browser, signed in, on a page. */
  async atDesk(
    staff: StaffLogin,
    at: string,
    language: JourneyLanguage,
    size: Size,
    { dark = false, facility = HOSPITAL } = {},
  ): Promise<Visitor> {
    const colors = dark ? ({ colorScheme: 'dark' } as const) : {}
    const visitor = await this.world.visitor(facility, { language, size, ...colors })
    const { id, name, role } = staff
    const caller: StaffCaller = {
      kind: 'staff',
      id: id as Id<'staff'>,
      name,
      role,
      session: id as Id<'web-session'>,
    }
    await letStaffIn(this.world, facility, caller, visitor)
    await visitor.open(at)
    return visitor
  }

  /** The patient in her app, signed in, on a page. */
  async asPatient(at: string, language: JourneyLanguage, size: Size): Promise<Visitor> {
    const visitor = await this.world.visitor('sbx', { language, size })
    await letPatientIn(this.world, ASHA.abhaAddress, visitor)
    await visitor.open(at)
    return visitor
  }

  /** All that she is told by text messages: others may tell her things meanwhile. */
  async textsToHer(): Promise<string> {
    return JSON.stringify(
      (await this.world.network.operator('sbx', `/v1/sandbox/text-messages?mobile=${ASHA.mobile}`)).body,
    )
  }

  code(staff: StaffLogin, facility = HOSPITAL): Promise<string> {
    return codeOfStaff(this.world.network, facility, staff.login)
  }

  async headers(staff: StaffLogin, facility = HOSPITAL): Promise<StaffHeaders> {
    return signInStaff(this.world.network, facility, staff)
  }

  call(headers: StaffHeaders, at: string, body?: unknown, facility = HOSPITAL): Promise<Answer> {
    return callJson(`${this.world.network.party(facility).url}${at}`, headers, body)
  }

  /** Breaks the glass by calls alone. */
  async open(staff: StaffLogin, headers: StaffHeaders, facility = HOSPITAL): Promise<string> {
    const asked = await this.call(headers, '/v1/desk/step-up', { act: 'emergency.open', subject: MRN }, facility)
    const stepUp = textAt(asked.body, 'id')
    const code = await this.code(staff, facility)
    assert.equal((await this.call(headers, `/v1/desk/step-up/${stepUp}`, { code }, facility)).status, 204)
    const order = { reason: 'unconscious', words: WORDS, stepUp }
    const opened = await this.call(headers, `/v1/desk/patients/${MRN}/emergency`, order, facility)
    assert.equal(opened.status, 201, JSON.stringify(opened.body))
    return textAt(opened.body, 'id')
  }
}
