import { type KeyboardEvent, type ReactNode, useMemo } from 'react'
import type { Chain, ChainEdge, EdgeState } from '../../../src/rights/views.ts'
import { Icon } from '../../ui/icon.tsx'
import { State } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import style from './chain.module.css'
import { EDGE_LOOKS } from './edge-look.ts'
import { facilityIcon } from './facility-icon.ts'
import { layoutChain, type PlacedEdge, type PlacedNode } from './layout.ts'
import { nameOf } from './names.ts'

/** Who got what from whom, as boxes and arrows in the direction of reading. Each arrow is a button with its sign in the middle. */
export function ChainPicture(props: { readonly chain: Chain; readonly onOpen: (edge: ChainEdge) => void }): ReactNode {
  const { t, dir } = useWords()
  const { chain, onOpen } = props
  const { width, height, nodes, edges } = useMemo(() => layoutChain(chain, dir === 'rtl'), [chain, dir])
  const states = [...new Set(edges.map(({ edge }) => edge.state))]
  return (
    <figure className={style.figure}>
      <svg
        className={style.picture}
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        role="group"
        aria-label={t('sharing.picture-label')}
      >
        <Heads />
        {edges.map((one) => (
          <path
            key={one.edge.id}
            d={one.path}
            className={style.line}
            data-state={one.edge.state}
            data-tone={EDGE_LOOKS[one.edge.state].tone}
            markerEnd={`url(#head-${EDGE_LOOKS[one.edge.state].tone})`}
          />
        ))}
        {nodes.map((one) => (
          <Box key={one.node.id} placed={one} />
        ))}
        {edges.map((one) => (
          <Sign key={one.edge.id} chain={chain} placed={one} onOpen={onOpen} />
        ))}
      </svg>
      <figcaption>
        <p className="visually-hidden">{t('sharing.legend')}</p>
        <ul className={style.legend}>
          {states.map((state) => (
            <li key={state}>
              <Legend state={state} />
            </li>
          ))}
        </ul>
      </figcaption>
    </figure>
  )
}

const TONES = ['calm', 'live', 'waiting', 'stopped'] as const

/** Heads of arrows take their colour from where they are defined, so there is one for each tone. */
function Heads(): ReactNode {
  return (
    <defs>
      {TONES.map((tone) => (
        <marker
          key={tone}
          id={`head-${tone}`}
          viewBox="0 0 10 10"
          refX="9"
          refY="5"
          markerUnits="userSpaceOnUse"
          markerWidth="11"
          markerHeight="11"
          orient="auto"
        >
          <path d="M0 0 10 5 0 10z" className={style.head} data-tone={tone} />
        </marker>
      ))}
    </defs>
  )
}

function Legend(props: { readonly state: EdgeState }): ReactNode {
  const { t } = useWords()
  const { tone, icon, words } = EDGE_LOOKS[props.state]
  return (
    <State tone={tone} icon={icon}>
      {t(words)}
    </State>
  )
}

function Box(props: { readonly placed: PlacedNode }): ReactNode {
  const { t, tn } = useWords()
  const { node, x, y, width, height } = props.placed
  const held = node.holds.reduce((total, { count }) => total + count, 0)
  return (
    <foreignObject x={x} y={y} width={width} height={height}>
      <div className={style.node} data-role={node.role}>
        <Icon name={node.role === 'me' ? 'person' : facilityIcon(node.kinds)} />
        <b>
          <bdi>{node.role === 'me' ? t('sharing.you') : node.name}</bdi>
        </b>
        {held === 0 ? null : <small>{tn('sharing.box-own', held)}</small>}
        {node.received === 0 ? null : <small>{tn('sharing.box-received', node.received)}</small>}
      </div>
    </foreignObject>
  )
}

/** The sign of an arrow: 44 units to touch, and its sentence for who does not see it. */
function Sign(props: {
  readonly chain: Chain
  readonly placed: PlacedEdge
  readonly onOpen: (edge: ChainEdge) => void
}): ReactNode {
  const { t } = useWords()
  const { chain, onOpen } = props
  const { edge, x, y } = props.placed
  const { tone, icon, words } = EDGE_LOOKS[edge.state]
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' && event.key !== ' ') return
    event.preventDefault()
    onOpen(edge)
  }
  const [from, to] = [nameOf(chain, edge.from, t), nameOf(chain, edge.to, t)]
  return (
    // A <button> cannot stand in a drawing.
    // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role
    <g
      role="button"
      tabIndex={0}
      className={style.sign}
      data-tone={tone}
      data-edge={edge.id}
      aria-label={t('sharing.arrow', { from, to, state: t(words) })}
      transform={`translate(${x} ${y})`}
      onClick={() => onOpen(edge)}
      onKeyDown={onKeyDown}
    >
      <circle r="22" className={style.reach} />
      <circle r="15" className={style.disc} />
      <g transform="translate(-10 -10)">
        <Icon name={icon} size={20} />
      </g>
    </g>
  )
}
