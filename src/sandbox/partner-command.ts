import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { thumbprintOf } from '../http/client-certificate.ts'
import { askOwn, type OwnParty } from './client.ts'
import { NetworkFault } from './network-file.ts'

/** What `amanat partner …` does: asks a running party as its operator, prints, answers the exit code. */

/** How a client proves itself, as the command line takes it: files of keys and certificates, an address, a host name. */
export type ProofWords = {
  readonly jwks?: string
  readonly jwksUri?: string
  readonly certificate?: readonly string[]
  readonly certificateHost?: string
}

const out = (text: string): void => void process.stdout.write(`${text}\n`)

function read<T>(path: string, what: string, parse: (bytes: Buffer) => T): T {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new NetworkFault(`${path} cannot be read (${why}).`)
  }
  try {
    return parse(bytes)
  } catch {
    throw new NetworkFault(`${path} is not ${what}.`)
  }
}

function proofOf({ jwks, jwksUri, certificate = [], certificateHost }: ProofWords): object {
  return {
    ...(jwks === undefined
      ? {}
      : { jwks: read(jwks, 'a JWK set (JSON)', (bytes) => JSON.parse(bytes.toString()) as unknown) }),
    ...(jwksUri === undefined ? {} : { jwksUri }),
    certificates: certificate.map((file) =>
      read(file, 'a certificate in PEM', (bytes) => thumbprintOf(new X509Certificate(bytes).raw)),
    ),
    ...(certificateHost === undefined ? {} : { certificateHost }),
  }
}

const admitted = z.object({ clientId: z.string(), scopes: z.array(z.string()), facilities: z.array(z.string()) })

/** Admits software of a partner; prints what its integrator needs to know. */
export async function addPartnerCommand(
  party: OwnParty & { readonly publicUrl: string },
  words: ProofWords & {
    readonly id?: string
    readonly name: string
    readonly facilities: string
    readonly scopes: string
    readonly bearer?: boolean
    readonly json?: boolean
  },
): Promise<number> {
  const { id, name, facilities, scopes, bearer, json, ...proof } = words
  const body = {
    ...(id === undefined ? {} : { clientId: id }),
    name,
    facilities: facilities.split(',').map((one) => one.trim()),
    scopes: scopes.split(/[\s,]+/).filter((one) => one !== ''),
    bearerAllowed: bearer === true,
    ...proofOf(proof),
  }
  const made = admitted.parse(await askOwn(party, '/v1/partners', body))
  if (json) out(JSON.stringify(made))
  else {
    out(`client id  ${made.clientId}`)
    out(`token      ${party.publicUrl}/oauth/token`)
    out(`scopes     ${made.scopes.join(' ')}`)
    out(`for        ${made.facilities.join(', ')}`)
  }
  return 0
}

/** Gives a client other keys or certificates; its tokens are void. */
export async function partnerKeysCommand(party: OwnParty, clientId: string, words: ProofWords): Promise<number> {
  await askOwn(party, `/v1/partners/${encodeURIComponent(clientId)}/keys`, proofOf(words))
  out(`${clientId} proves itself by these keys from now on; tokens that it had are void.`)
  return 0
}

/** Shuts a client out, or lets it in again. */
export async function partnerStatusCommand(
  party: OwnParty,
  clientId: string,
  verb: 'suspend' | 'resume',
): Promise<number> {
  await askOwn(party, `/v1/partners/${encodeURIComponent(clientId)}/${verb}`, {})
  out(verb === 'suspend' ? `${clientId} is shut out; its tokens are void.` : `${clientId} is let in again.`)
  return 0
}

const listed = z.object({
  partners: z.array(
    z.object({ clientId: z.string(), name: z.string(), status: z.string(), scopes: z.array(z.string()) }),
  ),
  next: z.string().optional(),
})

/** Lists the software of partners that was admitted. */
export async function listPartnersCommand(party: OwnParty, options: { readonly json?: boolean }): Promise<number> {
  const partners: z.output<typeof listed>['partners'] = []
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page = listed.parse(await askOwn(party, `/v1/partners?${new URLSearchParams({ after }).toString()}`))
    partners.push(...page.partners)
    after = page.next
  }
  if (options.json) out(JSON.stringify(partners))
  else if (partners.length === 0) out('Nobody yet. Admit the first: amanat partner add --help')
  else
    for (const { clientId, name, status, scopes } of partners)
      out(`${clientId.padEnd(24)} ${status.padEnd(10)} ${name}  (${scopes.join(' ')})`)
  return 0
}
