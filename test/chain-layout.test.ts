import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Chain, ChainEdge, ChainNode, EdgeState } from '../src/rights/views.ts'
import { type Layout, layoutChain, type PlacedNode } from '../web/patient/sharing/layout.ts'

const node = (id: string, role: ChainNode['role'], held = 0): ChainNode => ({
  id,
  name: id,
  kinds: [],
  role,
  holds: held > 0 ? [{ hiType: 'Prescription', count: held }] : [],
  received: 0,
})
const edge = (from: string, to: string, state: EdgeState = 'shared'): ChainEdge => ({
  id: `${from}>${to}`,
  from,
  to,
  state: from === 'me' ? 'link' : state,
  consents: [],
})
const ME = node('me', 'me')
const at = (layout: Layout, id: string): PlacedNode => {
  const found = layout.nodes.find((one) => one.node.id === id)
  assert.ok(found, id)
  return found
}

function assertApart({ nodes, edges, width, height }: Layout): void {
  for (const [i, a] of nodes.entries()) {
    assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.width <= width && a.y + a.height <= height, `${a.node.id} is outside`)
    for (const b of nodes.slice(i + 1)) {
      const isApart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y
      assert.ok(isApart, `${a.node.id} covers ${b.node.id}`)
    }
  }
  for (const [i, a] of edges.entries()) {
    assert.ok(a.y + 22 <= height, `the sign of ${a.edge.id} is outside`)
    for (const b of edges.slice(i + 1))
      assert.ok(Math.hypot(a.x - b.x, a.y - b.y) >= 44, `the signs of ${a.edge.id} and ${b.edge.id} touch`)
    for (const box of nodes) {
      const isInside = a.x > box.x && a.x < box.x + box.width && a.y > box.y && a.y < box.y + box.height
      assert.ok(!isInside, `the sign of ${a.edge.id} stands on ${box.node.id}`)
    }
  }
}

const TWO_HOPS: Chain = {
  nodes: [
    ME,
    node('hospital', 'holder', 3),
    node('lab', 'holder', 2),
    node('clinic', 'both', 1),
    node('insurer', 'receiver'),
  ],
  edges: [
    edge('me', 'hospital'),
    edge('me', 'lab'),
    edge('me', 'clinic'),
    edge('hospital', 'clinic'),
    edge('lab', 'clinic'),
    edge('clinic', 'insurer'),
    edge('hospital', 'insurer', 'planned'),
  ],
}

test('holders, receivers and onward receivers stand in columns in the direction of reading', () => {
  const layout = layoutChain(TWO_HOPS, false)
  const xs = ['me', 'hospital', 'clinic', 'insurer'].map((id) => at(layout, id).x)
  assert.deepEqual(
    xs,
    xs.toSorted((a, b) => a - b),
  )
  assert.equal(at(layout, 'hospital').x, at(layout, 'lab').x)
  assert.ok(!layout.edges.some((one) => one.edge.id === 'me>clinic'), 'what a receiver holds itself stands in its box')
  assertApart(layout)
  const mirrored = layoutChain(TWO_HOPS, true)
  assert.ok(at(mirrored, 'me').x > at(mirrored, 'insurer').x)
  assertApart(mirrored)
})

test('two hospitals that share with each other, an empty chain, and a crowded one', () => {
  const circle: Chain = {
    nodes: [ME, node('a', 'both', 2), node('b', 'both', 1)],
    edges: [edge('me', 'a'), edge('me', 'b'), edge('a', 'b'), edge('b', 'a', 'stopping')],
  }
  const layout = layoutChain(circle, false)
  assert.ok(at(layout, 'a').x < at(layout, 'b').x, 'the richer one stands first')
  assert.equal(layout.edges.length, 3)
  assertApart(layout)
  assertApart(layoutChain({ nodes: [ME], edges: [] }, false))
  const holders = Array.from({ length: 6 }, (_, i) => node(`h${i}`, 'holder', 1))
  const receivers = Array.from({ length: 4 }, (_, i) => node(`r${i}`, 'receiver'))
  const crowded = layoutChain(
    {
      nodes: [ME, ...holders, ...receivers],
      edges: [
        ...holders.map(({ id }) => edge('me', id)),
        ...holders.flatMap((from) => receivers.map((to) => edge(from.id, to.id))),
      ],
    },
    false,
  )
  assertApart(crowded)
})
