import { z } from 'zod'
import { askOwn, type OwnParty } from './client.ts'

/** What `amanat keys …` does: asks a running party as its operator, prints, answers the exit code. */

const out = (text: string): void => void process.stdout.write(`${text}\n`)

const status = z.object({
  provider: z.string(),
  current: z.string(),
  versions: z.array(z.object({ wrapId: z.string(), keys: z.number(), isCurrent: z.boolean() })),
  waiting: z.number(),
})

/** Shows the versions of the wrapping key, and how many data keys each has wrapped. */
export async function keysStatusCommand(party: OwnParty, options: { readonly json?: boolean }): Promise<number> {
  const found = status.parse(await askOwn(party, '/v1/keys'))
  if (options.json) {
    out(JSON.stringify(found))
    return 0
  }
  out(`provider ${found.provider}`)
  for (const { wrapId, keys, isCurrent } of found.versions)
    out(
      `${isCurrent ? 'current ' : 'older   '} ${wrapId.padEnd(40)} ${keys} data keys${isCurrent || keys > 0 ? '' : ', can be destroyed'}`,
    )
  out(
    found.waiting === 0
      ? 'All data keys are wrapped by the current version.'
      : `${found.waiting} wait to be wrapped anew.`,
  )
  return 0
}

const rotated = z.object({ wrapId: z.string() })

/** Makes a new version of the wrapping key. */
export async function rotateKeysCommand(party: OwnParty, options: { readonly json?: boolean }): Promise<number> {
  const { wrapId } = rotated.parse(await askOwn(party, '/v1/keys/rotate', {}))
  if (options.json) out(JSON.stringify({ wrapId }))
  else {
    out(`current  ${wrapId}`)
    out('The data keys are wrapped anew in the background: see "amanat keys status". Back up the keys folder now.')
  }
  return 0
}

/** Destroys an old version that wraps nothing any more. */
export async function destroyKeyCommand(party: OwnParty, wrapId: string): Promise<number> {
  await askOwn(party, '/v1/keys/destroy', { wrapId })
  out(`destroyed ${wrapId}: backups of the database from its time open no more.`)
  return 0
}
