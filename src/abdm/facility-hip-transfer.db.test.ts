import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import {
  detailOf,
  grant,
  HIP,
  newId,
  notify,
  PATIENT,
  REFERENCE,
  requesterKeys,
  sampleOf,
} from '../../test/hip-bench.ts'
import { NOTIFY, ON_NOTIFY, ON_REQUEST, useTransfers } from '../../test/hip-transfers.ts'
import { transact } from '../db/tx.ts'
import { validateDocument } from '../fhir/validate.ts'
import { expireArtefacts } from '../hip/artefact-commands.ts'
import { readMessages } from '../http/message-log.ts'
import { must } from '../kernel/refusal.ts'
import { addPatient, addRecord } from '../records/commands.ts'
import { makeFolderSource } from '../records/folder-source.ts'

const EXAMPLES = path.join(import.meta.dirname, '../../../shared/fhir/examples')

describe('a provider under a consent', () => {
  const world = useTransfers()

  it('acknowledges, pushes one sealed document a page with keys of its own, records each, and tells the exchange', async () => {
    const consentId = await grant(world.bench)
    await world.bench.drain()
    assert.deepEqual(world.bench.last(ON_NOTIFY)?.body, {
      acknowledgement: { status: 'OK', consentId },
      response: {
        requestId: world.acknowledged()?.response.requestId,
      },
    })
    const before = await world.events('hip.page-disclosed')
    const { transactionId, keys, requestId } = await world.ask(consentId)
    await world.bench.drain()
    assert.deepEqual(world.bench.last(ON_REQUEST)?.body, {
      hiRequest: { transactionId, sessionStatus: 'ACKNOWLEDGED' },
      response: { requestId },
    })
    assert.equal(world.bench.last(ON_REQUEST)?.headers['X-HIP-ID'], HIP)
    assert.equal(world.requester.got.length, 2)
    // Who knows the address may push to it: the delivery log does not tell it.
    const pushes = (await readMessages(world.bench.machine.db, undefined, 100)).filter(
      ({ direction }) => direction === 'out',
    )
    assert.deepEqual([...new Set(pushes.map(({ path }) => path))], ['/(4 characters, not kept)'])
    // The requester chose the address: our session at the exchange must not go there.
    assert.equal(world.requester.headers[0]?.authorization, undefined)
    assert.deepEqual(world.requester.got.map(({ pageNumber, pageCount }) => `${pageNumber} of ${pageCount}`).sort(), [
      '0 of 2',
      '1 of 2',
    ])
    assert.equal(new Set(world.requester.got.map((page) => page.keyMaterial.dhPublicKey.keyValue)).size, 2)
    assert.equal(new Set(world.requester.got.map((page) => page.keyMaterial.nonce)).size, 2)
    assert.equal(world.requester.got[0]?.keyMaterial.dhPublicKey.keyValue.length, 412)
    for (const page of world.requester.got) {
      const [text = ''] = keys.openPage(page)
      assert.deepEqual(validateDocument(JSON.parse(text), 'strict'), [])
      assert.match(page.entries[0]?.checksum ?? '', /^[0-9a-f]{32}$/)
    }
    assert.equal((await world.events('hip.page-disclosed')) - before, 2)
    assert.equal(world.told().statusNotification.sessionStatus, 'TRANSFERRED')
    assert.deepEqual(
      world
        .told()
        .statusNotification.statusResponses?.map(({ careContextReference, hiStatus }) => [
          careContextReference,
          hiStatus,
        ]),
      [
        ['cc-1', 'DELIVERED'],
        ['cc-2', 'DELIVERED'],
      ],
    )
    assert.deepEqual(world.told().notifier, { type: 'HIP', id: HIP })
    const page = await world.bench.machine.db
      .selectFrom('hip_page')
      .selectAll()
      .where('bucket', '>=', 0)
      .where('transaction_id', '=', transactionId)
      .execute()
    assert.ok(page.every((row) => row.body === null && row.status === 'sent'))
  })

  it('gives a repeated transaction the same answer, without a second push', async () => {
    const consentId = await grant(world.bench)
    const { transactionId, keys } = await world.ask(consentId)
    await world.bench.drain()
    assert.equal(world.requester.got.length, 2)
    await world.ask(consentId, { transactionId, keys })
    await world.bench.drain()
    assert.equal(world.requester.got.length, 2)
    assert.equal(world.bench.sent.filter(({ path }) => path === ON_REQUEST).length, 2)
    assert.equal(world.bench.sent.filter(({ path }) => path === NOTIFY).length, 1)
  })

  it('sends only the permitted types, care contexts and dates', async () => {
    const types = await grant(world.bench, { hiTypes: ['Invoice'] })
    await world.ask(types)
    await world.bench.drain()
    assert.deepEqual(
      world.requester.got.map((page) => page.entries[0]?.careContextReference),
      ['cc-2'],
    )
    assert.deepEqual(world.told().statusNotification.statusResponses?.[0], {
      careContextReference: 'cc-1',
      hiStatus: 'ERRORED',
      description: 'No record of the permitted types and dates.',
    })
    world.requester.got.length = 0
    const contexts = await grant(world.bench, {
      careContexts: [{ patientReference: REFERENCE, careContextReference: 'cc-1' }],
    })
    await world.ask(contexts)
    await world.bench.drain()
    assert.deepEqual(
      world.requester.got.map((page) => page.entries[0]?.careContextReference),
      ['cc-1'],
    )
    world.requester.got.length = 0
    const dates = await grant(world.bench)
    await world.ask(dates, { dateRange: { from: '2025-01-01T00:00:00.000Z', to: '2026-01-01T00:00:00.000Z' } })
    await world.bench.drain()
    assert.equal(world.requester.got.length, 0)
    assert.equal(world.told().statusNotification.sessionStatus, 'FAILED')
  })

  it('refuses in the callback, and never pushes: range, unknown consent, expired key, bad key, too often', async () => {
    const consentId = await grant(world.bench, {
      permission: {
        ...(detailOf('x') as { permission: object }).permission,
        frequency: { unit: 'DAY', value: 1, repeats: 1 },
      },
    })
    const cases: readonly (readonly [string, () => Promise<unknown>])[] = [
      [
        'ABDM-1063',
        () => world.ask(consentId, { dateRange: { from: '2024-01-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' } }),
      ],
      ['ABDM-1112', () => world.ask(newId(world.bench))],
      [
        '3410',
        () =>
          world.ask(consentId, { keys: requesterKeys(world.bench, new Date(world.bench.clock.now().getTime() - 1)) }),
      ],
      [
        'ABDM-1006',
        () => {
          const keys = requesterKeys(world.bench)
          const bad = {
            ...keys.keyMaterial,
            dhPublicKey: { ...keys.keyMaterial.dhPublicKey, keyValue: Buffer.alloc(65, 4).toString('base64') },
          }
          return world.ask(consentId, { keys: { ...keys, keyMaterial: bad } })
        },
      ],
    ]
    for (const [code, attempt] of cases) {
      await attempt()
      await world.bench.drain()
      assert.equal(world.errorOf(ON_REQUEST)?.code, code)
    }
    await world.ask(consentId)
    await world.ask(consentId)
    await world.bench.drain()
    assert.equal(world.errorOf(ON_REQUEST)?.code, 'ABDM-1062')
    assert.match(world.errorOf(ON_REQUEST)?.message ?? '', /permits no further request/)
    assert.equal(world.requester.got.length, 2, 'only the first of the two was served')
    const repeated = await world.ask(consentId, {
      transactionId: newId(world.bench),
      dateRange: { from: '2024-01-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' },
    })
    await world.ask(consentId, { transactionId: repeated.transactionId })
    await world.bench.drain()
    assert.equal(world.errorOf(ON_REQUEST)?.code, 'ABDM-1063', 'a refused transaction stays refused')
  })

  it('sends no page after a revocation that came between pages', async () => {
    const consentId = await grant(world.bench)
    const { transactionId } = await world.ask(consentId)
    await world.bench.drain({ only: 'hip.push' })
    assert.equal(world.requester.got.length, 1)
    await notify(world.bench, { status: 'REVOKED', consentId })
    await world.bench.drain()
    assert.equal(world.requester.got.length, 1)
    const own = await world.disclosures(transactionId)
    assert.deepEqual(own.map(({ status }) => status).sort(), ['sent', 'withheld'])
    assert.equal(world.told().statusNotification.sessionStatus, 'TRANSFERRED')
    assert.ok(
      world
        .told()
        .statusNotification.statusResponses?.some(
          ({ hiStatus, description }) => hiStatus === 'ERRORED' && /revoked/.test(description ?? ''),
        ),
    )
    await world.ask(consentId)
    await world.bench.drain()
    assert.equal(world.errorOf(ON_REQUEST)?.code, 'ABDM-1062')
  })

  it('sends nothing when the consent ends by its own clock, before the exchange says so', async () => {
    const consentId = await grant(world.bench, {
      permission: {
        ...(detailOf('x') as { permission: object }).permission,
        dataEraseAt: new Date(world.bench.clock.now().getTime() + 60_000).toISOString(),
      },
    })
    await world.ask(consentId)
    world.bench.clock.advance(61_000)
    await world.bench.drain()
    assert.equal(world.requester.got.length, 0)
    assert.equal(world.told().statusNotification.sessionStatus, 'FAILED')
    assert.equal(await expireArtefacts(world.bench.machine, world.bench.needs), 1)
    const artefacts = (await world.bench.app.inject({ url: '/v1/artefacts' })).json().artefacts as {
      consentId: string
      status: string
    }[]
    assert.equal(artefacts.find((one) => one.consentId === consentId)?.status, 'EXPIRED')
    assert.equal(await expireArtefacts(world.bench.machine, world.bench.needs), 0)
  })

  it('serves documents of others byte for byte, and tells what of an invalid one is invalid, without its words', async () => {
    const consentId = await grant(world.bench, {
      careContexts: ['cc-own', 'cc-bad'].map((careContextReference) => ({
        patientReference: REFERENCE,
        careContextReference,
      })),
      hiTypes: ['OPConsultation', 'Prescription'],
    })
    await world
      .ask(await grant(world.bench, { hiTypes: ['Prescription'] }))
      .then(({ keys }) => world.bench.drain().then(() => keys))
    const first = world.requester.got[0]
    assert.ok(first)
    world.requester.got.length = 0
    const made = await world.ask(await grant(world.bench, { hiTypes: ['Prescription'] }))
    await world.bench.drain()
    const [text = ''] = made.keys.openPage(world.requester.got[0] as never)
    // Odd white space and order must survive: the bytes of others are kept.
    const bytes = `\n${JSON.stringify(JSON.parse(text), null, 3)}\n`
    const broken = JSON.stringify({
      ...JSON.parse(text),
      entry: (JSON.parse(text) as { entry: { resource: { resourceType: string; status?: string } }[] }).entry.map(
        (entry) =>
          entry.resource.resourceType === 'MedicationRequest'
            ? { ...entry, resource: { ...entry.resource, status: 'secretword' } }
            : entry,
      ),
    })
    await transact(world.bench.machine, async (tx) => {
      const actor = { kind: 'operator', id: 'desk' } as const
      await addRecord(tx, actor, REFERENCE, {
        careContextReference: 'cc-own',
        document: Buffer.from(bytes).toString('base64'),
      })
      await addRecord(tx, actor, REFERENCE, {
        careContextReference: 'cc-bad',
        document: Buffer.from(broken).toString('base64'),
      })
    })
    world.requester.got.length = 0
    const { keys } = await world.ask(consentId)
    await world.bench.drain()
    assert.equal(world.requester.got.length, 1)
    assert.deepEqual(keys.openPage(world.requester.got[0] as never), [bytes])
    const bad = world.told().statusNotification.statusResponses?.find((one) => one.careContextReference === 'cc-bad')
    assert.equal(bad?.hiStatus, 'ERRORED')
    assert.match(bad?.description ?? '', /not valid: Bundle\.entry/)
    assert.doesNotMatch(bad?.description ?? '', /secretword/)
  })

  it('sends the official examples from a folder, byte for byte', { skip: !fs.existsSync(EXAMPLES) }, async () => {
    await transact(world.bench.machine, async (tx) => {
      const abc = {
        reference: 'ABC-1',
        name: 'ABC',
        gender: 'male',
        birthDate: '1981-01-12',
        abhaNumber: '22722548295255',
        abhaAddress: 'abc@sbx',
      }
      must(await addPatient(tx, world.bench.needs, { kind: 'operator', id: 'desk' }, abc as never))
    })
    const folder = makeFolderSource({ folder: EXAMPLES })
    world.bench.sources.push(folder)
    const files = fs.readdirSync(EXAMPLES).filter((name) => name.endsWith('.json'))
    const consentId = await grant(world.bench, {
      patient: { id: 'abc@sbx' },
      careContexts: files.map((name) => ({
        patientReference: 'ABC-1',
        careContextReference: name.replace(/\.json$/, ''),
      })),
      hiTypes: ['DiagnosticReport', 'Invoice', 'OPConsultation', 'Prescription'],
      permission: {
        ...(detailOf('x') as { permission: object }).permission,
        dateRange: { from: '2010-01-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' },
      },
    })
    const { keys } = await world.ask(consentId, {
      dateRange: { from: '2010-01-01T00:00:00.000Z', to: '2026-11-01T00:00:00.000Z' },
    })
    await world.bench.drain()
    world.bench.sources.pop()
    const got = world.requester.got.flatMap((page) => keys.openPage(page)).sort()
    const wanted = files.map((name) => fs.readFileSync(path.join(EXAMPLES, name), 'utf8')).sort()
    assert.equal(got.length, wanted.length, JSON.stringify(world.told().statusNotification.statusResponses))
    assert.deepEqual(got, wanted)
  })

  it('does not serve a patient who is not the consenting one', async () => {
    const consentId = await grant(world.bench, { patient: { id: 'somebody.else@sbx' } })
    await world.ask(consentId)
    await world.bench.drain()
    assert.equal(world.requester.got.length, 0)
    assert.equal(world.told().statusNotification.sessionStatus, 'FAILED')
  })

  it('keeps sample records of every type valid when it sends them', async () => {
    const types = [
      'OPConsultation',
      'DischargeSummary',
      'DiagnosticReport',
      'ImmunizationRecord',
      'HealthDocumentRecord',
      'WellnessRecord',
    ] as const
    await transact(world.bench.machine, async (tx) => {
      for (const type of types)
        await addRecord(tx, { kind: 'operator', id: 'desk' }, REFERENCE, {
          careContextReference: `cc-${type}`,
          input: sampleOf(type),
        })
    })
    const consentId = await grant(world.bench, {
      hiTypes: [...types],
      careContexts: types.map((type) => ({ patientReference: REFERENCE, careContextReference: `cc-${type}` })),
    })
    await world.ask(consentId)
    await world.bench.drain()
    assert.equal(
      world.requester.got.length,
      types.length,
      JSON.stringify(world.told().statusNotification.statusResponses),
    )
  })

  it('accounts for every page once, page by page', async () => {
    const seen: string[] = []
    let before: string | undefined
    do {
      const url = `/v1/disclosures?limit=3&patient=${PATIENT}${before === undefined ? '' : `&before=${before}`}`
      const page = (await world.bench.app.inject({ url })).json() as {
        disclosures: { event: string }[]
        before?: string
      }
      seen.push(...page.disclosures.map(({ event }) => event))
      before = page.before
    } while (before !== undefined)
    const rows = await world.bench.machine.db.selectFrom('hip_page').select('event').where('bucket', '>=', 0).execute()
    const own = rows.length - 4 * Number(fs.existsSync(EXAMPLES))
    assert.equal(seen.length, own, 'the official examples are of another patient')
    assert.equal(new Set(seen).size, own)
  })
})
