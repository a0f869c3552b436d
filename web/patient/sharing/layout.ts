import type { Chain, ChainEdge, ChainNode } from '../../../src/rights/views.ts'

/** A node and where it stands, in units of the picture. */
export type PlacedNode = {
  readonly node: ChainNode
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}
/** An arrow: its line as SVG path data, and the middle, where its sign stands. */
export type PlacedEdge = { readonly edge: ChainEdge; readonly path: string; readonly x: number; readonly y: number }
export type Layout = {
  readonly width: number
  readonly height: number
  readonly nodes: readonly PlacedNode[]
  readonly edges: readonly PlacedEdge[]
}

const NODE = { width: 136, height: 132 }
const ME = { width: 72, height: 56 }
/** Room between two columns: an arrow with its sign of 44 units. */
const GAP_X = 68
const GAP_Y = 24
const MARGIN = 6
/** Below all boxes, for arrows that pass a column. */
const LANE = 40

/**
 * Places the patient, holders, receivers and onward receivers in columns in the direction of reading. Everything stands as far from the
 * patient as its longest way of disclosures is; circles (two hospitals that share with each other) are cut at the arrow back.
 */
export function layoutChain(chain: Chain, isFromRight: boolean): Layout {
  const depths = depthsOf(chain)
  const columns: ChainNode[][] = []
  for (const node of chain.nodes) (columns[depths.get(node.id) ?? 1] ??= []).push(node)
  const filled = columns.filter((column) => column !== undefined)
  const inner = Math.max(...filled.map(heightOf)) + 2 * MARGIN
  const width = MARGIN * 2 + ME.width + Math.max(0, filled.length - 1) * (GAP_X + NODE.width)
  const nodes = filled.flatMap((column, at) => placeColumn(column, at, inner))
  const byId = new Map(nodes.map((one) => [one.node.id, one]))
  const lines = chain.edges.flatMap((edge): Line[] => {
    const [from, to] = [byId.get(edge.from), byId.get(edge.to)]
    // What a receiver holds itself stands in its box: a line past all others would say less.
    if (from === undefined || to === undefined || (edge.state === 'link' && depths.get(edge.to) !== 1)) return []
    return [lineOf(edge, from, to, inner + LANE / 2)]
  })
  const apart = spread(lines)
  const lowest = Math.max(inner, ...apart.flatMap(({ points }) => points.map(({ y }) => y + SIGN / 2)))
  const mirror = (x: number): number => (isFromRight ? width - x : x)
  return {
    width,
    height: lowest,
    nodes: nodes.map((one) => (isFromRight ? { ...one, x: width - one.x - one.width } : one)),
    edges: apart.map(({ edge, points, sign }) => {
      const turned = points.map(({ x, y }) => ({ x: mirror(x), y }))
      const at = turned[sign] ?? { x: 0, y: 0 }
      return { edge, path: pathOf(turned), x: at.x, y: at.y }
    }),
  }
}

function heightOf(column: readonly ChainNode[]): number {
  return column.reduce((total, node) => total + sizeOf(node).height + GAP_Y, -GAP_Y)
}

function sizeOf(node: ChainNode): { readonly width: number; readonly height: number } {
  return node.role === 'me' ? ME : NODE
}

function placeColumn(column: readonly ChainNode[], at: number, height: number): readonly PlacedNode[] {
  let y = (height - heightOf(column)) / 2
  return column.map((node) => {
    const size = sizeOf(node)
    const x = at === 0 ? MARGIN : MARGIN + ME.width + GAP_X + (at - 1) * (NODE.width + GAP_X)
    const placed = { node, x, y, ...size }
    y += size.height + GAP_Y
    return placed
  })
}

/** How many arrows the longest way to each node has; `me` 0, holders at least 1. */
function depthsOf({ nodes, edges }: Chain): ReadonlyMap<string, number> {
  const flows = edges.filter(({ state }) => state !== 'link')
  const forward = withoutCircles(nodes, flows)
  const depths = new Map(nodes.map(({ id, role }) => [id, role === 'me' ? 0 : 1]))
  for (let round = 0; round < nodes.length; round++)
    for (const { from, to } of forward) depths.set(to, Math.max(depths.get(to) ?? 1, (depths.get(from) ?? 1) + 1))
  return depths
}

/** The arrows without those that lead back to where a way came from, searched from those who only hold, then from the richest. */
function withoutCircles(nodes: readonly ChainNode[], flows: readonly ChainEdge[]): readonly ChainEdge[] {
  const back = new Set<ChainEdge>()
  const seen = new Set<string>()
  const way = new Set<string>()
  const visit = (id: string): void => {
    if (seen.has(id)) return
    seen.add(id)
    way.add(id)
    for (const edge of flows.filter(({ from }) => from === id)) {
      if (way.has(edge.to)) back.add(edge)
      else visit(edge.to)
    }
    way.delete(id)
  }
  const held = ({ holds }: ChainNode): number => holds.reduce((total, { count }) => total + count, 0)
  const isOnlyHolder = ({ role }: ChainNode): number => (role === 'holder' ? 0 : 1)
  const starts = nodes.toSorted((a, b) => isOnlyHolder(a) - isOnlyHolder(b) || held(b) - held(a))
  for (const { id } of starts) visit(id)
  return flows.filter((edge) => !back.has(edge))
}

type Point = { readonly x: number; readonly y: number }
/** The points that a line goes through; its sign stands at one of them. */
type Line = { readonly edge: ChainEdge; readonly points: readonly Point[]; readonly sign: number }

/** From side to side, through the middle of the gap; past a column in between, in the lane below all boxes. */
function lineOf(edge: ChainEdge, from: PlacedNode, to: PlacedNode, laneY: number): Line {
  if (from.x === to.x) return within(edge, from, to)
  const isOnward = from.x < to.x
  const start = { x: isOnward ? from.x + from.width : from.x, y: from.y + from.height / 2 }
  const end = { x: isOnward ? to.x : to.x + to.width, y: to.y + to.height / 2 }
  const way = Math.abs(end.x - start.x)
  if (way <= GAP_X + 1) {
    const middle = { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 }
    return { edge, points: [start, middle, end], sign: 1 }
  }
  const step = isOnward ? GAP_X / 2 : -GAP_X / 2
  const down = { x: start.x + step * 2, y: laneY }
  const up = { x: end.x - step * 2, y: laneY }
  const sign = { x: end.x - step, y: (laneY + end.y) / 2 }
  return { edge, points: [start, down, up, sign, end], sign: 3 }
}

/** Between two boxes of one column. */
function within(edge: ChainEdge, from: PlacedNode, to: PlacedNode): Line {
  const x = from.x + from.width / 2
  const isDown = from.y < to.y
  const start = { x, y: isDown ? from.y + from.height : from.y }
  const end = { x, y: isDown ? to.y : to.y + to.height }
  return { edge, points: [start, { x, y: (start.y + end.y) / 2 }, end], sign: 1 }
}

const SIGN = 46

/** Signs that would cover each other in one gap slide along it, and their lines with them. */
function spread(lines: readonly Line[]): readonly Line[] {
  const signOf = (line: Line): Point => line.points[line.sign] ?? { x: 0, y: 0 }
  const placed: Point[] = []
  const moved = new Map<Line, Line>()
  for (const line of lines.toSorted((a, b) => signOf(a).y - signOf(b).y)) {
    let { y } = signOf(line)
    const { x } = signOf(line)
    for (const other of placed) if (Math.abs(other.x - x) < SIGN && Math.abs(other.y - y) < SIGN) y = other.y + SIGN
    placed.push({ x, y })
    moved.set(line, { ...line, points: line.points.map((point, at) => (at === line.sign ? { x, y } : point)) })
  }
  return lines.map((line) => moved.get(line) ?? line)
}

/** A smooth line through the points, level at each of them; straight where they stand above each other. */
function pathOf(points: readonly Point[]): string {
  return points
    .map(({ x, y }, at) => {
      const before = points[at - 1]
      if (before === undefined) return `M${x} ${y}`
      if (before.x === x || before.y === y) return `L${x} ${y}`
      const middle = (before.x + x) / 2
      return `C${middle} ${before.y} ${middle} ${y} ${x} ${y}`
    })
    .join(' ')
}
