import type { ReactNode } from 'react'
import type { Chain, ChainEdge, ChainNode } from '../../../src/rights/views.ts'
import { Icon } from '../../ui/icon.tsx'
import { State } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import style from './chain.module.css'
import { EDGE_LOOKS } from './edge-look.ts'
import { facilityIcon } from './facility-icon.ts'
import { Holdings } from './holdings.tsx'
import { nameOf } from './names.ts'

type Walk = { readonly chain: Chain; readonly onOpen: (edge: ChainEdge) => void }

/** The chain from top to bottom: each holder, below it to whom its records went, and from there onward. */
export function ChainList(props: Walk): ReactNode {
  const { t } = useWords()
  const { chain } = props
  const starts = chain.nodes.filter(
    ({ id, role }) =>
      role === 'holder' || (role === 'both' && !chain.edges.some((e) => e.to === id && e.state !== 'link')),
  )
  // Two hospitals that only share with each other: begin with what is linked.
  const roots =
    starts.length > 0 ? starts : chain.nodes.filter(({ id }) => chain.edges.some((e) => e.to === id && e.from === 'me'))
  return (
    <div className={style.tree}>
      <p className={style.me}>
        <Icon name="person" size={24} />
        <b>{t('sharing.you')}</b>
      </p>
      <ul className={style.branch}>
        {roots.map((node) => (
          <li key={node.id}>
            <NodeBox node={node} />
            <Onward {...props} from={node.id} way={['me', node.id]} />
          </li>
        ))}
      </ul>
    </div>
  )
}

function NodeBox(props: { readonly node: ChainNode }): ReactNode {
  const { node } = props
  return (
    <div className={style.box}>
      <p className={style.name}>
        <Icon name={facilityIcon(node.kinds)} />
        <b>
          <bdi>{node.name}</bdi>
        </b>
      </p>
      <Holdings node={node} />
    </div>
  )
}

/** To whom a place gave; each place stands once on a way, or a circle would have no end. */
function Onward(props: Walk & { readonly from: string; readonly way: readonly string[] }): ReactNode {
  const { chain, onOpen, from, way } = props
  const edges = chain.edges.filter((edge) => edge.from === from && edge.state !== 'link')
  if (edges.length === 0) return null
  return (
    <ul className={style.branch}>
      {edges.map((edge) => {
        const node = chain.nodes.find(({ id }) => id === edge.to)
        const isNew = !way.includes(edge.to)
        return (
          <li key={edge.id}>
            <ArrowButton chain={chain} edge={edge} onOpen={onOpen} />
            {node !== undefined && isNew && hasMore(chain, node) ? (
              <>
                <NodeBox node={node} />
                <Onward chain={chain} onOpen={onOpen} from={edge.to} way={[...way, edge.to]} />
              </>
            ) : null}
          </li>
        )
      })}
    </ul>
  )
}

/** A place that only received is named by its arrow already; what arrived stands there. */
function hasMore(chain: Chain, { id, holds }: ChainNode): boolean {
  return holds.length > 0 || chain.edges.some((edge) => edge.from === id && edge.state !== 'link')
}

function ArrowButton(props: {
  readonly chain: Chain
  readonly edge: ChainEdge
  readonly onOpen: (edge: ChainEdge) => void
}): ReactNode {
  const { t } = useWords()
  const { chain, edge, onOpen } = props
  const { tone, icon, words } = EDGE_LOOKS[edge.state]
  return (
    <button type="button" className={style.arrowRow} data-tone={tone} data-edge={edge.id} onClick={() => onOpen(edge)}>
      <span className={style.arrowName}>{t('sharing.to-receiver', { name: nameOf(chain, edge.to, t) })}</span>
      <State tone={tone} icon={icon}>
        {t(words)}
      </State>
    </button>
  )
}
