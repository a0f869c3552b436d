import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeChanges } from './changes.ts'

test('a change reaches those who listen to its patient and to the whole party, and nobody else', () => {
  const changes = makeChanges()
  const heard: string[] = []
  changes.listen('patient:asha.rao@sbx', (type) => heard.push(`asha ${type}`))
  changes.listen('patient:ravi.kumar@sbx', (type) => heard.push(`ravi ${type}`))
  changes.listen('party', (type) => heard.push(`party ${type}`))
  changes.publish({ type: 'consent.granted', patient: 'asha.rao@sbx' })
  changes.publish({ type: 'partners.facility-saved' })
  assert.deepEqual(heard, ['asha consent.granted', 'party consent.granted', 'party partners.facility-saved'])
})

test('who stops listening hears nothing more; the same function may listen twice', () => {
  const changes = makeChanges()
  let heard = 0
  const hear = (): void => void heard++
  const stops = [changes.listen('party', hear), changes.listen('party', hear)]
  changes.publish({ type: 'a' })
  assert.equal(heard, 2)
  stops[0]?.()
  stops[0]?.()
  changes.publish({ type: 'a' })
  assert.equal(heard, 3)
  stops[1]?.()
  changes.publish({ type: 'a' })
  assert.equal(heard, 3)
})
