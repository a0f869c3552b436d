import { type ReactNode, useState } from 'react'
import type { Chain, ChainEdge } from '../../../src/rights/views.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Sheet } from '../../ui/sheet.tsx'
import { useWords } from '../words.ts'
import { ConsentDetail } from './consent-detail.tsx'
import { Holdings } from './holdings.tsx'
import { nameOf } from './names.ts'
import { StopProgress } from './progress.tsx'
import style from './sharing.module.css'
import { StopSheet } from './stop-sheet.tsx'

/** What an arrow stands for: when, what, under which consent, with proof; and to stop what is live. */
export function ArrowSheet(props: {
  readonly chain: Chain
  readonly edge: ChainEdge
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const [isStopping, setStopping] = useState(false)
  const { chain, edge, onClose } = props
  const holder = chain.nodes.find(({ id }) => id === edge.to)
  const live = edge.consents.filter(({ status }) => status === 'live')
  const [first] = live
  if (isStopping && first !== undefined)
    return <StopSheet what={edge.id} receiver={first.receiver} consents={live} onClose={() => setStopping(false)} />
  if (edge.state === 'link')
    return (
      <Sheet title={nameOf(chain, edge.to, t)} onClose={onClose}>
        {edge.since === undefined ? null : <p>{t('sharing.linked-since', { day: dates.day(edge.since) })}</p>}
        <p>{t('sharing.link-text')}</p>
        {holder === undefined ? null : <Holdings node={holder} />}
      </Sheet>
    )
  return (
    <Sheet
      title={<FromTo chain={chain} edge={edge} />}
      onClose={onClose}
      {...(live.length === 0
        ? {}
        : {
            actions: (
              <Button look="stop" icon="stop" onClick={() => setStopping(true)}>
                {t('sharing.stop')}
              </Button>
            ),
          })}
    >
      <StopProgress consents={live.length === 0 ? edge.consents : []} />
      {edge.consents.map((consent) => (
        <section key={consent.artefact} className={style.consent}>
          <ConsentDetail consent={consent} />
        </section>
      ))}
    </Sheet>
  )
}

function FromTo(props: { readonly chain: Chain; readonly edge: ChainEdge }): ReactNode {
  const { t } = useWords()
  const { chain, edge } = props
  return (
    <span className={style.fromTo}>
      <span>{t('sharing.from-holder', { name: nameOf(chain, edge.from, t) })}</span>
      <span>{t('sharing.to-receiver', { name: nameOf(chain, edge.to, t) })}</span>
    </span>
  )
}
