import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Fault } from '../fake-bridge.ts'
import { at, listAt, textAt } from '../json-path.ts'
import { TestNetwork, type ThirdParty } from '../network.ts'
import { ASHA } from '../people.ts'
import { usualAsk } from '../third-party-world.ts'
import { waitFor } from '../wait.ts'

const ON_INIT = '/api/v3/hiu/consent/request/on-init'
const PASSING: readonly (readonly [string, Fault])[] = [
  ['down', 'down'],
  ['slow', 'slow'],
  ['error', 'error'],
  ['rubbish', 'rubbish'],
  ['too-many', { status: 429 }],
  ['token-refused', { status: 401 }],
]

type Message = {
  readonly requestId: string
  readonly status: unknown
  readonly error: unknown
  readonly attempt: unknown
}

/** Every try of on-init towards a facility, oldest first. */
async function triesOf(network: TestNetwork, facility: string): Promise<readonly Message[]> {
  const { body } = await network.operator('sbx', '/v1/messages?limit=1000')
  const ours = listAt({ body }, 'body').filter(
    (one) => at(one, 'direction') === 'out' && at(one, 'peer') === facility && at(one, 'path') === ON_INIT,
  )
  return ours.map((one) => ({
    requestId: textAt(one, 'requestId'),
    status: at(one, 'status'),
    error: at(one, 'error'),
    attempt: at(one, 'attempt'),
  }))
}

describe('a callback host that misbehaves', () => {
  let network: TestNetwork
  const hosts = new Map<string, ThirdParty>()
  const hostOf = (key: string): ThirdParty => {
    const host = hosts.get(key)
    assert.ok(host)
    return host
  }
  before(async () => {
    network = await TestNetwork.start()
    await network.enrol(ASHA)
    for (const [i, [key]] of [
      ...PASSING,
      ['drop'] as const,
      ['refuses'] as const,
      ['redirects'] as const,
      ['dead'] as const,
    ].entries())
      hosts.set(key, await network.join('care', `IN27100002${String(i).padStart(2, '0')}`))
  })
  after(() => network.stop())

  const askAt = (host: ThirdParty): Promise<string> =>
    host.bridge.insist('/consent/v3/request/init', { consent: host.hiu.consentOf(usualAsk()) }, host.hiu.asHiu)

  test('down, slow, 500, rubbish, 429, 401: tried again with the same REQUEST-ID until it arrives', async () => {
    const asked = await Promise.all(
      PASSING.map(async ([key, fault]) => {
        const host = hostOf(key)
        host.bridge.misbehave(ON_INIT, fault, key === 'slow' ? 1 : 2)
        return { key, host, requestId: await askAt(host) }
      }),
    )
    const tries = await Promise.all(
      asked.map(async ({ key, host, requestId }) => {
        await waitFor(`the first try at ${key}`, async () => (await triesOf(network, host.bridge.facility)).length >= 1)
        const arrived = host.bridge.callback(ON_INIT, requestId)
        await waitFor(`the answer at ${key}`, async () => {
          await network.hurry('sbx')
          return (await triesOf(network, host.bridge.facility)).some(({ status }) => status === 200)
        })
        await arrived
        return triesOf(network, host.bridge.facility)
      }),
    )
    for (const [i, [key]] of PASSING.entries()) {
      const of = tries[i] ?? []
      const failures = key === 'slow' ? 1 : 2
      assert.equal(of.length, failures + 1, `${key}: ${of.length} tries`)
      assert.equal(new Set(of.map(({ requestId }) => requestId)).size, 1, `${key}: one REQUEST-ID`)
      for (const failed of of.slice(0, failures))
        assert.ok(typeof failed.error === 'string' || Number(failed.status) >= 400, `${key} says why`)
      assert.equal(of.at(-1)?.status, 200, key)
    }
  })

  test('a host that acts and then drops the line hears again, with the same REQUEST-ID', async () => {
    const host = hostOf('drop')
    host.bridge.misbehave(ON_INIT, 'drop', 1)
    const requestId = await askAt(host)
    const heard = await waitFor('both deliveries', async () => {
      await network.hurry('sbx')
      const found = host.bridge.received.filter((one) => at(one.body, 'response.requestId') === requestId)
      return found.length === 2 && found
    })
    assert.equal(heard[0]?.headers['request-id'], heard[1]?.headers['request-id'])
    assert.deepEqual(heard[0]?.body, heard[1]?.body)
  })

  test('a refusal of the host is a dead letter at once; redelivered by hand it arrives', async () => {
    const host = hostOf('refuses')
    host.bridge.misbehave(ON_INIT, { status: 400 })
    const requestId = await askAt(host)
    const dead = await waitFor('the dead letter', async () =>
      (await network.jobs('sbx')).find((job) => at(job, 'status') === 'dead'),
    )
    assert.equal((await triesOf(network, host.bridge.facility)).length, 1)
    assert.match(textAt(dead, 'lastError'), /400/)
    host.bridge.behave()
    assert.equal((await network.operator('sbx', `/v1/jobs/${textAt(dead, 'id')}/redeliver`, {})).status, 202)
    await host.bridge.callback(ON_INIT, requestId)
    assert.equal((await network.operator('sbx', `/v1/jobs/${textAt(dead, 'id')}/redeliver`, {})).status, 404)
  })

  test('a redirect is never followed', async () => {
    const host = hostOf('redirects')
    let followed = 0
    const elsewhere = createServer((_request, response) => {
      followed++
      response.end()
    }).listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    host.bridge.misbehave(ON_INIT, {
      redirectTo: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/steal`,
    })
    await askAt(host)
    const dead = await waitFor('the dead letter', async () =>
      (await network.jobs('sbx')).find((job) => at(job, 'status') === 'dead'),
    )
    assert.match(textAt(dead, 'lastError'), /307/)
    assert.equal(followed, 0)
    elsewhere.close()
  })

  test('a host that stays away ends as a dead letter when all tries are used up', async () => {
    const host = hostOf('dead')
    const deadOnes = async () => (await network.jobs('sbx')).filter((job) => at(job, 'status') === 'dead')
    const known = (await deadOnes()).map((job) => textAt(job, 'id'))
    host.bridge.misbehave(ON_INIT, 'error')
    const requestId = await askAt(host)
    await waitFor('the first try', async () => (await triesOf(network, host.bridge.facility)).length >= 1)
    const dead = await waitFor('the dead letter', async () => {
      await network.hurry('sbx', true)
      return (await deadOnes()).find((job) => !known.includes(textAt(job, 'id')))
    })
    assert.match(textAt(dead, 'lastError'), /500/)
    host.bridge.behave()
    assert.equal((await network.operator('sbx', `/v1/jobs/${textAt(dead, 'id')}/redeliver`, {})).status, 202)
    await host.bridge.callback(ON_INIT, requestId)
  })
})

describe('an exchange that may not call private addresses', () => {
  test('never connects to one, whatever a bridge registers', async () => {
    const network = await TestNetwork.start({ allowPrivateNetworks: false })
    try {
      await network.enrol(ASHA)
      const host = await network.join('care', 'IN2710000301')
      await host.bridge.insist('/consent/v3/request/init', { consent: host.hiu.consentOf(usualAsk()) }, host.hiu.asHiu)
      const dead = await waitFor('the dead letter', async () =>
        (await network.jobs('sbx')).find((job) => at(job, 'status') === 'dead'),
      )
      assert.match(textAt(dead, 'lastError'), /private address/)
      assert.equal(host.bridge.received.length, 0)
    } finally {
      await network.stop()
    }
  })
})
