import { z } from 'zod'
import { callParty } from './client.ts'
import { NetworkFault } from './network-file.ts'

/** What `amanat keys …` does: asks a running party as its operator, prints, answers the exit code. */

type Party = { readonly url: string; readonly name: string; readonly operatorToken: string }

const out = (text: string): void => void process.stdout.write(`${text}\n`)

async function ask(party: Party, path: string, body?: unknown): Promise<unknown> {
  try {
    return await callParty(party, path, body === undefined ? {} : { body })
  } catch (error) {
    if (!(error instanceof NetworkFault)) throw error
    throw new NetworkFault(
      `${party.name} does not answer at ${party.url}. Start it first, with "amanat serve --config FILE".`,
    )
  }
}

const status = z.object({
  provider: z.string(),
  current: z.string(),
  versions: z.array(z.object({ wrapId: z.string(), keys: z.number(), isCurrent: z.boolean() })),
  waiting: z.number(),
})

/** Shows the versions of the wrapping key, and how many data keys each has wrapped. */
export async function keysStatusCommand(party: Party, options: { readonly json?: boolean }): Promise<number> {
  const found = status.parse(await ask(party, '/v1/keys'))
  if (options.json) {
    out(JSON.stringify(found))
    return 0
  }
  out(`provider ${found.provider}`)
  for (const { wrapId, keys, isCurrent } of found.versions)
    out(`${isCurrent ? 'current ' : 'older   '} ${wrapId.padEnd(40)} ${keys} data keys`)
  out(
    found.waiting === 0
      ? 'All data keys are wrapped by the current version.'
      : `${found.waiting} wait to be wrapped anew.`,
  )
  return 0
}

const rotated = z.object({ wrapId: z.string() })

/** Makes a new version of the wrapping key. */
export async function rotateKeysCommand(party: Party, options: { readonly json?: boolean }): Promise<number> {
  const { wrapId } = rotated.parse(await ask(party, '/v1/keys/rotate', {}))
  if (options.json) out(JSON.stringify({ wrapId }))
  else {
    out(`current  ${wrapId}`)
    out('The data keys are wrapped anew in the background: see "amanat keys status". Back up the keys folder now.')
  }
  return 0
}

/** Destroys an old version that wraps nothing any more. */
export async function destroyKeyCommand(party: Party, wrapId: string): Promise<number> {
  await ask(party, '/v1/keys/destroy', { wrapId })
  out(`destroyed ${wrapId}: backups of the database from its time open no more.`)
  return 0
}
