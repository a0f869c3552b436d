import { textAt } from '../json-path.ts'
import { partyName } from '../network.ts'
import type { Call } from './clients.ts'
import { idText } from './ids.ts'
import { EXCHANGE, type Hospital, type World } from './world.ts'

/** Shutting a hospital out of the network, and taking it back: all of it, its service by itself, or its software at the native API. */
export class ShutOut {
  readonly #world: World
  constructor(world: World) {
    this.#world = world
  }

  /** The bridge of a hospital switches its service off or on. */
  service(hospital: Hospital, active: boolean): Call {
    const service = { id: hospital, name: partyName('Hospital', hospital), types: ['HIP', 'HIU'], active }
    return {
      name: `${active ? 'switch on' : 'switch off'} ${hospital}`,
      party: EXCHANGE,
      method: 'PUT',
      path: '/api/hiecm/gateway/v3/bridge-service',
      body: [service],
      prove: () => this.#asBridge(hospital),
      id: idText(this.#world.bytes.bytes(16)),
      once: false,
    }
  }

  /** An operator of the exchange shuts the hospital itself out of the network, or takes it back. */
  hospital(hospital: Hospital, verb: 'shut-out' | 'confirm'): Call {
    return {
      name: `${verb} ${hospital}`,
      party: EXCHANGE,
      method: 'POST',
      path: `/v1/facilities/${hospital}/${verb}`,
      body: verb === 'shut-out' ? { reason: 'simulated' } : {},
      id: idText(this.#world.bytes.bytes(16)),
      once: false,
    }
  }

  /** An operator of the exchange shuts the hospital's software out, or lets it in again. */
  software(hospital: Hospital, verb: 'suspend' | 'resume'): Call {
    return {
      name: `${verb} ${hospital}`,
      party: EXCHANGE,
      method: 'POST',
      path: `/v1/partners/${clientOf(this.#world, hospital)}/${verb}`,
      id: idText(this.#world.bytes.bytes(16)),
      once: false,
    }
  }

  async #asBridge(hospital: Hospital): Promise<Readonly<Record<string, string>> | undefined> {
    const exchange = this.#world.party(EXCHANGE)
    const { config } = this.#world.party(hospital)
    if (config.role !== 'facility' || !exchange.isUp) return undefined
    const { clientId, clientSecret } = config.exchange
    const body = JSON.stringify({ clientId, clientSecret, grantType: 'client_credentials' })
    const answer = await exchange.inject('POST', '/api/hiecm/gateway/v3/sessions', this.#headers(), body)
    if (answer === undefined || answer.status >= 300) return undefined
    const token = textAt(JSON.parse(answer.body.toString('utf8')), 'accessToken')
    return { ...this.#headers(), authorization: `Bearer ${token}` }
  }

  #headers(): Readonly<Record<string, string>> {
    return {
      'content-type': 'application/json',
      'request-id': idText(this.#world.bytes.bytes(16)),
      timestamp: this.#world.time.now().toISOString(),
      'x-cm-id': 'sbx',
    }
  }
}

/** The client id of a hospital's software at the exchange. */
export function clientOf(world: World, hospital: Hospital): string {
  const { config } = world.party(hospital)
  if (config.role !== 'facility') throw new Error(`${hospital} is no facility`)
  return config.exchange.clientId
}

/** Registers the software of a hospital as a client of its own, so that it can be shut out beside its service. */
export async function admitSoftware(world: World, hospital: Hospital): Promise<void> {
  const { publicUrl } = world.party(hospital).config
  const admission = {
    clientId: clientOf(world, hospital),
    name: `Software of ${hospital}`,
    facilities: [hospital],
    scopes: ['system/*.cruds'],
    jwksUri: `${publicUrl}/.well-known/jwks.json`,
  }
  const answer = await world.asOperator('/v1/partners', JSON.stringify(admission))
  if (answer?.status !== 201) throw new Error(`admit ${hospital}: ${answer?.status} ${answer?.body.toString()}`)
}
