import type { Call } from '../http/route.ts'
import type { Actor } from '../kernel/caller.ts'
import { type AbhaAddress, type FacilityId, parseFacilityId } from '../kernel/id.ts'
import { type Refusal, refuse } from '../kernel/refusal.ts'
import { isHiu } from '../partners/bridge.ts'
import { facilityById } from '../partners/commands.ts'

type Calling = Pick<Call<never, never>, 'caller' | 'headers' | 'requestId' | 'tx'>

/** The patient who calls, or for whom a guardian calls; with what a step of theirs is recorded and answered by. */
export type PatientStep = {
  readonly patient: AbhaAddress
  readonly actor: Actor
  readonly askedByRequest: string
  /** The app that X-HIU-ID names, where it is a registered service that can be told. */
  readonly requester: FacilityId | undefined
}

export async function patientStep(call: Calling): Promise<PatientStep | Refusal> {
  const { caller } = call
  if (caller.kind !== 'patient') return refuse('auth/forbidden')
  const named = parseFacilityId(call.headers['x-hiu-id'] ?? '')
  const app = named === undefined ? undefined : await facilityById(call.tx, named)
  return {
    patient: caller.patient,
    actor: {
      kind: 'patient',
      id: caller.patient,
      ...(caller.guardian === undefined ? {} : { guardian: caller.guardian }),
    },
    askedByRequest: call.requestId,
    requester: app !== undefined && isHiu(app) ? app.id : undefined,
  }
}

/** The facilities that the caller speaks for; none where it is no bridge. */
export function facilitiesOfCaller(call: Pick<Calling, 'caller'>): readonly FacilityId[] {
  return call.caller.kind === 'bridge' ? call.caller.facilities : []
}

/** ABDM's `error` where it is one; some clients send `null`, or an object without content. */
export function errorIn(
  error: { readonly code: string; readonly message: string } | null | undefined,
): { readonly code: string; readonly message: string } | undefined {
  return error === null || error === undefined || error.code === '' ? undefined : error
}
