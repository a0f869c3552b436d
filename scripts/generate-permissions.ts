import { EVERYWHERE, EXCHANGE, LIGHT, OF, type Permission, type Permissions } from '../test/permissions.ts'
import { FACILITY } from '../test/permissions-facility.ts'
import { accessTables, demandsOf } from './generate-access.ts'

const WHO: Readonly<Record<Permission['who'], string>> = {
  anybody: 'anybody',
  address: 'whoever knows the unguessable address',
  bridge: 'a bridge, with its session',
  patient: 'a patient, or the guardian of a child, with their session',
  exchange: 'the exchange, with a token made for this facility',
  partner: 'software of a partner, with a token bound to its key or certificate',
  operator: 'an operator of this party',
  console: 'the page of the sandbox console, from the same origin; it sends its word with what it changes',
  staff: 'somebody of the staff, signed in at the desk',
}

/** `docs/permissions.md`: who may call what. `test/access-matrix.test.ts` calls every route as everybody. */
export function permissionsPage(): string {
  return `# Who may call what

Generated from \`test/permissions.ts\` by \`npm run generate\`. \`test/access-matrix.test.ts\` calls every route of a running network as every kind of caller (nobody, forged and expired tokens, tokens
of another kind, another bridge, another patient, guardians, operators of other parties) and insists on this table. A route that is not in it fails the test.

${Object.entries(OF)
  .map(([of, says]) => `- **${of}**: ${says}.`)
  .join('\n')}

${accessTables()}
## What an operator does by name

The operator token opens what software of the party and whoever runs it need all day. Grave acts ask for more: \`X-Operator-Code: NAME:CODE\`, the name of an enrolled operator and a code of her authenticator app that was not
used before ([how](operate/operators.md), [why](decisions/0036-an-operators-second-proof.md)). Without anybody enrolled they are refused; only a sandbox does them then. The log names the operator.

${graveTable()}

What changes something and takes the token alone:

${lightTable()}

## Routes of the exchange

${table(EXCHANGE)}

## Routes of a facility

${table(FACILITY)}

## Routes of every party

${table(EVERYWHERE)}
`
}

const PLACES = [
  ['every party', EVERYWHERE],
  ['the exchange', EXCHANGE],
  ['a facility', FACILITY],
] as const

function graveTable(): string {
  const rows = PLACES.flatMap(([place, table]) =>
    Object.entries(table).flatMap(([route, { grave }]) => (grave ? [`| \`${route}\` | ${place} |`] : [])),
  )
  return `| grave | at |\n|---|---|\n${rows.join('\n')}`
}

function lightTable(): string {
  const rows = PLACES.flatMap(([place, table]) =>
    Object.entries(table).flatMap(([route, { light }]) =>
      light === undefined ? [] : [`| \`${route}\` | ${place} | ${LIGHT[light]} |`],
    ),
  )
  return `| by the token alone | at | why |\n|---|---|---|\n${rows.join('\n')}`
}

function table(permissions: Permissions): string {
  const demands = demandsOf()
  const rows = Object.entries(permissions).map(([route, { who, of }]) => {
    const more = demands.get(route)
    return `| \`${route}\` | ${WHO[who]}${more === undefined ? '' : `; ${more}`} | ${of ?? ''} |`
  })
  return `| route | who | held to its own by |\n|---|---|---|\n${rows.join('\n')}`
}
