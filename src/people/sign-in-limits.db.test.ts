import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { ASHA, MEERA, RAVI } from '../../test/linking-exchange.ts'
import { codeIn, PAGE, type Seen, type SignInExchange, startSignInExchange } from '../../test/sign-in-exchange.ts'
import { LIMITS } from '../kernel/limits.ts'

const HER_PLACE = '198.51.100.7'
const place = (n: number): string => `203.0.113.${n}`

let exchange: SignInExchange
describe('people/sign-in-limits', () => {
  before(async () => {
    exchange = await startSignInExchange()
  })
  after(() => exchange.close())
  beforeEach(async () => {
    exchange.clock.advance(2 * 3_600_000)
    await exchange.takeTexts()
  })

  const problemOf = ({ body }: Seen): string => String(body['type']).replace('urn:amanat:problem:', '')
  const ask = (abhaAddress: string, from: string) =>
    exchange.browser(PAGE, from).call('POST', '/v1/sign-in', { abhaAddress })
  const give = (asked: Seen, code: string, from = HER_PLACE) =>
    exchange.browser(PAGE, from).call('POST', `/v1/sign-in/${String(asked.body['id'])}`, { code })
  const wrongOf = (code: string): string => (code === '111111' ? '222222' : '111111')
  /** One place asks until it has to wait for an hour; what the phone has got. */
  async function askAll(abhaAddress: string, from: string): Promise<readonly string[]> {
    const texts: string[] = []
    for (let minute = 0; minute < LIMITS.signInCodesPerHourMax / LIMITS.signInCodesPerMinuteMax; minute++) {
      for (let one = 0; one < LIMITS.signInCodesPerMinuteMax; one++) {
        assert.equal((await ask(abhaAddress, from)).status, 202)
        texts.push(...(await exchange.takeTexts()).map(({ text }) => text))
      }
      exchange.clock.advance(60_000)
    }
    const refused = await ask(abhaAddress, from)
    assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '3600'])
    return texts
  }

  test('a stranger who asks for all the codes that he may keeps nobody out of her own account', async () => {
    const texts = await askAll(ASHA.abhaAddress, place(1))
    assert.equal(texts.length, LIMITS.signInTextsFree, 'her phone is not flooded')
    const hers = await ask(ASHA.abhaAddress, HER_PLACE)
    assert.equal(hers.status, 202)
    assert.deepEqual(await exchange.takeTexts(), [], 'the code that is on the phone does')
    const code = codeIn(texts.at(-1))
    assert.equal((await give(hers, code)).status, 200)
  })

  test('who signs in rightly, however often, may do so again', async () => {
    for (let times = 0; times <= LIMITS.signInCodesPerHourMax + 1; times++) {
      const asked = await ask(ASHA.abhaAddress, HER_PLACE)
      assert.equal(asked.status, 202, `time ${times + 1}`)
      const texts = await exchange.takeTexts()
      assert.equal(texts.length, 1)
      assert.equal((await give(asked, codeIn(texts[0]?.text))).status, 200)
    }
  })

  test('many places together send few text messages to one phone, also to that of a child; an unknown address hears the same', async () => {
    const sent = new Map<string, number>()
    const statuses = new Map<string, number[]>()
    for (let minute = 0; minute < 32; minute++) {
      for (const address of [RAVI.abhaAddress, MEERA.abhaAddress, 'nobody.here@sbx']) {
        const { status } = await ask(address, place(minute % 30))
        statuses.set(address, [...(statuses.get(address) ?? []), status])
        const texts = await exchange.takeTexts()
        sent.set(address, (sent.get(address) ?? 0) + texts.length)
      }
      exchange.clock.advance(60_000)
    }
    const most = LIMITS.signInTextsFree + (32 * 60_000) / LIMITS.signInTextEveryMs
    for (const address of [RAVI.abhaAddress, MEERA.abhaAddress])
      assert.ok((sent.get(address) ?? 0) <= most && (sent.get(address) ?? 0) > 3, `${address}: ${sent.get(address)}`)
    assert.equal(sent.get('nobody.here@sbx'), 0)
    assert.deepEqual(statuses.get('nobody.here@sbx'), statuses.get(RAVI.abhaAddress))
    assert.deepEqual(new Set(statuses.get(RAVI.abhaAddress)), new Set([202]))
  })

  test('a code that several sign-ins share is good once, and no longer than its text message says', async () => {
    const code = codeIn((await askAll(RAVI.abhaAddress, place(2))).at(-1))
    const [one, other] = [await ask(RAVI.abhaAddress, HER_PLACE), await ask(RAVI.abhaAddress, place(3))]
    assert.deepEqual(await exchange.takeTexts(), [])
    assert.equal((await give(one, code)).status, 200)
    assert.equal(problemOf(await give(other, code)), 'people/code-spent')

    exchange.clock.advance(2 * 3_600_000)
    const late = codeIn((await askAll(RAVI.abhaAddress, place(2))).at(-1))
    // The last text is from the second minute; the pause is not over, its ten minutes soon are.
    exchange.clock.advance(LIMITS.signInTextEveryMs - 4 * 60_000 - 1)
    const shares = await ask(RAVI.abhaAddress, HER_PLACE)
    assert.deepEqual(await exchange.takeTexts(), [])
    exchange.clock.advance(5 * 60_000)
    assert.equal(problemOf(await give(shares, late)), 'people/code-expired')
  })

  test('wrong codes are few in an hour over all sign-ins of an address, known or not; one place wears out alone', async () => {
    for (const address of [ASHA.abhaAddress, 'nobody.else@sbx']) {
      const guess = async (from: string): Promise<number> => {
        for (let tries = 0; ; ) {
          exchange.clock.advance(60_000)
          const asked = await ask(address, from)
          assert.equal(asked.status, 202, `${address} ${tries}`)
          const code = codeIn((await exchange.takeTexts()).at(-1)?.text)
          for (let wrong = 0; wrong < LIMITS.signInCodeTriesMax; wrong++, tries++) {
            const seen = await give(asked, wrongOf(code), from)
            if (seen.status === 429) return tries
          }
        }
      }
      assert.equal(await guess(place(4)), LIMITS.signInTriesPerSourceMax)
      const tried: number[] = []
      for (const n of [5, 6, 7, 8]) tried.push(await guess(place(n)))
      assert.equal(
        tried.reduce((sum, each) => sum + each, 0),
        LIMITS.signInTriesPerHourMax - LIMITS.signInTriesPerSourceMax,
      )
      exchange.clock.advance(2 * 3_600_000)
    }
  })
})
