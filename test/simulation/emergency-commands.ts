import { makeId, toBucket } from '../../src/kernel/id.ts'
import { at, listAt } from '../json-path.ts'
import type { Seeded } from '../seeded.ts'
import type { Call } from './clients.ts'
import type { Emergency } from './emergencies.ts'
import { idText } from './ids.ts'
import type { Model } from './model.ts'
import { signIn, type Team } from './staff.ts'
import type { Hospital, World } from './world.ts'

const WORDS = 'Brought in after a road accident, not responding.'

/** What staff do in emergencies: open, look, end, review. */
export class EmergencyCommands {
  readonly #world: World
  readonly #model: Model
  readonly #dice: Seeded
  readonly #teams: ReadonlyMap<string, Team>

  constructor(world: World, model: Model, dice: Seeded, teams: ReadonlyMap<string, Team>) {
    this.#world = world
    this.#model = model
    this.#dice = dice
    this.#teams = teams
  }

  open(hospital: Hospital, reference: string): Call {
    const { bytes, time } = this.#world
    const stepUp = makeId<'step-up'>(time.now(), bytes.bytes, toBucket(0))
    const body = { reason: 'unconscious', words: WORDS, stepUp }
    const proof = { id: stepUp, subject: reference }
    const call = this.#call('break glass', hospital, `/v1/desk/patients/${reference}/emergency`, body)
    return { ...call, prove: () => signIn(this.#world.party(hospital), this.#team(hospital).doctor, proof) }
  }

  /** The doctor reads, whether or not she has opened the records: it must be open exactly while it is. */
  look(hospital: Hospital, patient: string, reference: string): Call {
    const call = this.#call('look in emergency', hospital, `/v1/desk/patients/${reference}/reading`, { purpose: 'BTG' })
    const { emergencies, faults } = this.#model
    let recorded = 0
    return {
      ...call,
      once: false,
      prove: () => {
        recorded = emergencies.looked.get(hospital) ?? 0
        return signIn(this.#world.party(hospital), this.#team(hospital).doctor)
      },
      answered: (status, body) => {
        const open = emergencies.openAt(hospital, patient, this.#world.party(hospital).now())
        if (status === 403 && open !== undefined) faults.push(`${open.id} is open at ${hospital}, and nobody is let in`)
        if (status !== 200) return
        if (open === undefined) faults.push(`${hospital} let somebody in, and no emergency is open`)
        const own = listAt(body, 'entries').filter((entry) => at(entry, 'received') === undefined).length
        if (own > (emergencies.looked.get(hospital) ?? 0) - recorded)
          faults.push(`${own} records were opened in an emergency at ${hospital}, and not all are recorded`)
      },
    }
  }

  end({ hospital, id }: Emergency): Call {
    return this.#call('end emergency', hospital, `/v1/desk/emergencies/${id}/end`)
  }

  review({ hospital, id }: Emergency): Call {
    const outcome = this.#dice.pick(['justified', 'not-justified', 'needs-follow-up'])
    const call = this.#call('review', hospital, `/v1/desk/emergencies/${id}/review`, { outcome, words: WORDS })
    return { ...call, prove: () => signIn(this.#world.party(hospital), this.#team(hospital).dpo) }
  }

  #team(hospital: Hospital): Team {
    const team = this.#teams.get(hospital)
    if (team === undefined) throw new Error(`nobody works at ${hospital}`)
    return team
  }

  #call(name: string, hospital: Hospital, path: string, body?: object): Call {
    return {
      name: `${name} ${hospital}`,
      party: hospital,
      method: 'POST',
      path,
      ...(body === undefined ? {} : { body }),
      prove: () => signIn(this.#world.party(hospital), this.#team(hospital).doctor),
      id: idText(this.#world.bytes.bytes(16)),
      once: true,
    }
  }
}
