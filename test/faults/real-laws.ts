import assert from 'node:assert/strict'
import { logVerifyCommand } from '../../src/audit/verify-command.ts'
import type { ChildNetwork } from '../child-network.ts'
import { at, listAt } from '../json-path.ts'

/** What one patient's client was told with a 2xx, and what may have come of it: written down from the calls, not from the product. */
export type Account = {
  readonly patient: string
  readonly holder: string
  readonly asker: string
  readonly own: string
  readonly request: string
  readonly decided: 'granted' | 'denied' | 'revoked'
  readonly consent?: string
  /** Care contexts that the patient allowed. */
  readonly allowed: readonly string[]
}

type Row = Readonly<Record<string, unknown>>
/** Two transactions at once may have read their clocks in the other order, and a busy machine may have stood still between. */
const SLACK = "interval '5 seconds'"

async function rows(network: ChildNetwork, party: string, text: string, values: unknown[] = []): Promise<Row[]> {
  return (await network.database(party).pool.query<Row>(text, values)).rows
}

/** What the exchange answered with success stands in its database, once, and the asker agrees. */
export async function insistOnDecisions(network: ChildNetwork, accounts: readonly Account[]): Promise<void> {
  const statusAt = async (party: string, table: string): Promise<ReadonlyMap<unknown, unknown>> =>
    new Map((await rows(network, party, `select id, status from ${table}`)).map((row) => [row['id'], row['status']]))
  const requests = await statusAt('sbx', 'consent_request')
  const consents = await statusAt('sbx', 'consent_artefact')
  for (const one of accounts) {
    const asked = await statusAt(one.asker, 'hiu_consent')
    assert.equal(requests.get(one.request), one.decided.toUpperCase(), `consent request ${one.request}`)
    assert.equal(asked.get(one.own), one.decided, `${one.asker} about ${one.own}`)
    if (one.consent !== undefined) assert.equal(consents.get(one.consent), one.decided.toUpperCase(), one.consent)
  }
  assert.equal(requests.size, accounts.length, 'a repeated question was asked twice, or one is lost')
  assert.equal(consents.size, accounts.filter(({ consent }) => consent !== undefined).length, 'consents')
}

/** Each change was recorded once, however often its call was repeated. */
export async function insistOnOnce(network: ChildNetwork, accounts: readonly Account[]): Promise<void> {
  const counted = await rows(network, 'sbx', 'select type, count(*)::int as times from audit_event group by type')
  const times = new Map(counted.map((row) => [row['type'], row['times']]))
  const granted = accounts.filter(({ decided }) => decided !== 'denied').length
  const expected = {
    'consent.requested': accounts.length,
    'consent.granted': granted,
    'consent.denied': accounts.length - granted,
    'consent.revoked': accounts.filter(({ decided }) => decided === 'revoked').length,
  }
  for (const [type, count] of Object.entries(expected)) assert.equal(times.get(type) ?? 0, count, type)
  for (const holder of new Set(accounts.map((one) => one.holder))) {
    const [pages] = await rows(
      network,
      holder,
      `select (select count(*) from audit_event where type = 'hip.page-sending')::int as sendings,
        (select count(*) from hip_page)::int as pages, (select count(*) from hip_page where status = 'sent')::int as sent`,
    )
    const { sendings, sent, pages: all } = pages as { sendings: number; sent: number; pages: number }
    assert.ok(sent <= sendings && sendings <= all, `${holder} announced ${sendings} of ${all} pages, and sent ${sent}`)
  }
}

/** Every page that a hospital made is of a record that its patient allowed, to whom it was allowed, and not after the end. */
export async function insistOnCover(network: ChildNetwork, accounts: readonly Account[]): Promise<void> {
  for (const holder of new Set(accounts.map((one) => one.holder))) {
    const pages = await rows(
      network,
      holder,
      `select r.consent_id as consent, r.hiu, p.care_context_reference as reference, p.status,
        coalesce(r.received_at > a.ended_at + ${SLACK}, false) as late
       from hip_page p join hip_request r on r.bucket = p.bucket and r.transaction_id = p.transaction_id
       left join hip_artefact a on a.bucket = r.bucket and a.consent_id = r.consent_id`,
    )
    for (const page of pages) {
      const account = accounts.find(({ consent }) => consent === page['consent'])
      const said = JSON.stringify(page)
      assert.ok(account !== undefined && account.holder === holder, `${said}: nobody consented`)
      assert.equal(page['hiu'], account.asker, said)
      assert.ok(account.allowed.includes(String(page['reference'])), `${said}: not allowed`)
      assert.equal(page['late'], false, `${said}: asked for after the end`)
    }
  }
}

/** What was revoked is gone, with its key; what was granted is there. */
export async function insistOnCopies(network: ChildNetwork, accounts: readonly Account[]): Promise<void> {
  for (const { asker, consent, decided, allowed } of accounts) {
    const id = consent ?? null
    const held = await rows(
      network,
      asker,
      `select distinct care_context_reference as reference from hiu_document where artefact = $1`,
      [id],
    )
    const expected = decided === 'granted' ? allowed.toSorted() : []
    assert.deepEqual(
      held.map(({ reference }) => String(reference)).toSorted(),
      expected,
      `copies of ${asker} under ${consent} (${decided})`,
    )
    if (decided !== 'revoked') continue
    const keys = await rows(network, asker, 'select 1 from data_key where scope = $1 and wrapped is not null', [id])
    assert.equal(keys.length, 0, `${asker} still has the key of ${consent}`)
  }
}

/** Nothing was given up. */
export async function insistOnNoDeadJobs(network: ChildNetwork, parties: readonly string[]): Promise<void> {
  for (const id of parties) {
    const jobs = listAt({ body: (await network.operator(id, '/v1/jobs')).body }, 'body')
    const dead = jobs.filter((job) => at(job, 'status') === 'dead')
    assert.deepEqual(dead, [], `dead letters of ${id}`)
  }
}

/** The log of each party verifies from its first entry to its last, by the command that anybody can run. */
export async function insistOnLogs(network: ChildNetwork, parties: readonly string[]): Promise<void> {
  for (const id of parties) {
    const lines: string[] = []
    const code = await logVerifyCommand([`${network.urlOf(id)}/log`], {
      print: (line) => void lines.push(line),
      fetching: fetch,
    })
    assert.equal(code, 0, `${id}: ${lines.join('\n')}`)
  }
}
