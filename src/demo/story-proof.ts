import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { logVerifyCommand } from '../audit/verify-command.ts'
import { CallFault, callParty } from '../sandbox/client.ts'
import { partyOf } from '../sandbox/network-file.ts'
import { insist, waitFor } from './narrator.ts'
import type { Story } from './story-cast.ts'

/** A receipt on disk, with the key of the log that it must be in: as the party itself shows it, not as the receipt says. */
type Kept = {
  readonly file: string
  readonly label: string
  readonly key: string
  readonly witnesses: readonly string[]
}

const partyShape = z.looseObject({ log: z.object({ vkey: z.string() }) })

const receiptShape = z.looseObject({
  proof: z.string(),
  witnesses: z.array(z.object({ name: z.string(), vkey: z.string() })),
})

/** The last steps: a receipt of everything that happened, verified offline; a forged one must fail; then the whole log. */
export async function proveEverything(story: Story, artefacts: readonly string[], folder: string): Promise<void> {
  const { narrator, network } = story
  const kept = await narrator.step('Every step has a receipt', async (say, see) => {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const receipts = await collect(story, artefacts, folder)
    say(`${receipts.length} receipts: ${[...new Set(receipts.map(({ label }) => label))].join(', ')}`)
    see(`npx amanat log verify ${receipts[0]?.file ?? folder}`)
    return receipts
  })
  await narrator.step('Each of them is verified offline', async (say) => {
    for (const { file, label, key, witnesses } of kept) {
      const { code, lines } = await verify([file, '--key', key, ...witnesses.flatMap((vkey) => ['--witness', vkey])])
      insist(code === 0, `the receipt of ${label} does not verify: ${lines.at(-1) ?? ''} (${file})`)
    }
    say(
      `${kept.length} of ${kept.length} are in the logs they name, signed, and cosigned by ${Math.min(...kept.map(({ witnesses }) => witnesses.length))} witnesses each`,
    )
  })
  await narrator.step('A receipt with one changed word is found out', async (say) => {
    const [first] = kept
    insist(first !== undefined, 'there is no receipt to forge')
    const forged = join(folder, 'forged.json')
    writeFileSync(forged, readFileSync(first.file, 'utf8').replace(/"type": "([^"]+)"/, '"type": "nothing.happened"'), {
      mode: 0o600,
    })
    const { code, lines } = await verify([forged])
    insist(code !== 0, 'a forged receipt was accepted')
    say(lines.at(-1) ?? '')
    rmSync(forged)
  })
  await narrator.step('The exchange’s whole log is verified', async (say, see) => {
    const address = `${partyOf(network, 'exchange').url}/log`
    const { code, lines } = await verify([address], fetch)
    insist(code === 0, `the log does not verify: ${lines.at(-1) ?? ''}`)
    say(lines.at(-1) ?? '')
    see(`npx amanat log verify ${address}`)
  })
}

const offline: typeof fetch = async () => Promise.reject(new Error('verifying a receipt needs no network'))

async function verify(
  args: readonly string[],
  fetching: typeof fetch = offline,
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const lines: string[] = []
  const code = await logVerifyCommand(args, { print: (line) => lines.push(line), fetching })
  return { code, lines }
}

/** What must have been recorded where: by event type. */
const AT_EXCHANGE = [
  'consent.requested',
  'consent.granted',
  'access.reported',
  'consent.revoked',
  'consent.data-erased',
]
const AT_REQUESTER = [
  'hiu.consent-asked',
  'hiu.artefact-granted',
  'hiu.page-opened',
  'hiu.record-viewed',
  'hiu.copy-erased',
]

async function collect(
  { app, requester, holders, cast, network }: Story,
  artefacts: readonly string[],
  folder: string,
): Promise<readonly Kept[]> {
  const patient = cast.patient.abhaAddress
  const kept: Kept[] = []
  const keys = new Map<string, string>()
  for (const party of network.parties)
    keys.set(party.key, partyShape.parse(await callParty(party, '/v1/party', { anonymous: true })).log.vkey)
  const keep = async (
    place: string,
    type: string,
    id: string,
    fetchReceipt: (id: string) => Promise<unknown>,
  ): Promise<void> => {
    const receipt = await waitFor(`the receipt of ${type}, cosigned`, async () => unlessEarly(() => fetchReceipt(id)))
    const file = join(folder, `${String(kept.length + 1).padStart(2, '0')}-${place}-${type}.json`)
    writeFileSync(file, `${JSON.stringify(receipt, null, 2)}\n`, { mode: 0o600 })
    kept.push({
      file,
      label: `${place} ${type}`,
      key: keys.get(place) ?? '',
      witnesses: receipt.witnesses.map(({ vkey }) => vkey),
    })
  }
  const ofPatient = await app.events()
  for (const type of AT_EXCHANGE) {
    const found = ofPatient.find(({ event }) => event?.type === type)
    insist(found !== undefined, `the exchange recorded no ${type}`)
    await keep('exchange', type, found.id, app.receipt)
  }
  const atRequester = await requester.events(patient)
  for (const type of AT_REQUESTER) {
    const found = atRequester.find(({ event }) => event?.type === type)
    insist(found !== undefined, `hospital B recorded no ${type}`)
    await keep(requester.party.key, type, found.id, (id) => requester.receipt(id, patient))
  }
  for (const desk of holders) {
    const given = (await desk.disclosures(patient)).filter(
      ({ consentId, event }) => artefacts.includes(consentId) && event !== null,
    )
    insist(given.length > 0, `${desk.party.name} recorded no disclosure`)
    for (const { event } of given)
      if (event !== null) await keep(desk.party.key, 'disclosure', event, (id) => desk.receipt(id, patient))
  }
  return kept
}

/** A receipt is there once the log's next checkpoint is (503 until then), and complete once the witnesses have cosigned it. */
async function unlessEarly(fetchReceipt: () => Promise<unknown>): Promise<z.output<typeof receiptShape> | undefined> {
  try {
    const receipt = receiptShape.parse(await fetchReceipt())
    return receipt.witnesses.every(({ name }) => receipt.proof.includes(`\n\u2014 ${name} `)) ? receipt : undefined
  } catch (error) {
    if (error instanceof CallFault && error.status === 503) return undefined
    throw error
  }
}
