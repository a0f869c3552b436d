import { z } from 'zod'
import { type Auth, type Route, route } from '../../src/http/route.ts'
import type { Authenticate } from '../../src/http/server.ts'

const anybody: Authenticate = async () => ({ kind: 'anonymous' })
/** Nobody proves anything: for servers whose door is what is tested. */
export const nobody: Readonly<Record<Auth, Authenticate>> = {
  none: anybody,
  bridge: anybody,
  patient: anybody,
  exchange: anybody,
  operator: anybody,
  partner: anybody,
  staff: anybody,
  console: anybody,
}

/** A route that writes down the name it was sent. */
export function echoRoute(effects: string[]): Route {
  return route({
    dialect: 'native',
    auth: 'none',
    method: 'POST',
    path: '/v1/echo',
    summary: 'test',
    once: false,
    body: z.object({ name: z.string() }),
    answers: {},
    handle: async ({ body }) => {
      effects.push(body.name)
      return { status: 201, body: { name: body.name } }
    },
  })
}
