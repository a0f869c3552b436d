import { type ReactNode, useState } from 'react'
import type { ConsentView, Proof, TransferView } from '../../../src/rights/views.ts'
import { Button } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Facts } from '../../ui/page.tsx'
import { State } from '../../ui/state.tsx'
import { ProofSheet } from '../looked/proof-sheet.tsx'
import { useWords } from '../words.ts'
import { EDGE_LOOKS } from './edge-look.ts'

import style from './sharing.module.css'

/** One consent: what is allowed, what went when, and the proof of each step. */
export function ConsentDetail(props: { readonly consent: ConsentView }): ReactNode {
  const { t, language } = useWords()
  const dates = useDates()
  const { consent } = props
  const look = EDGE_LOOKS[consent.state]
  const types = new Intl.ListFormat(`${language}-IN`).format(consent.hiTypes.map((type) => t(`hi-type.${type}`)))
  const end = consent.status === 'stopped' ? 'sharing.fact.stopped' : 'sharing.fact.ended'
  return (
    <>
      <div>
        <State tone={look.tone} icon={look.icon}>
          {t(look.words)}
        </State>{' '}
        {consent.emergency === undefined ? null : <State tone="emergency">{t('sharing.emergency')}</State>}
      </div>
      <Facts
        rows={[
          [t('sharing.fact.why'), t(`purpose.${consent.purpose as 'CAREMGT'}`)],
          [t('sharing.fact.who'), <bdi key="who">{consent.requester}</bdi>],
          [t('sharing.fact.what'), types],
          [t('sharing.fact.period'), t('sharing.period', { from: dates.day(consent.from), to: dates.day(consent.to) })],
          [
            t(consent.emergency === undefined ? 'sharing.fact.granted' : 'sharing.fact.opened'),
            dates.moment(consent.grantedAt),
          ],
          [t('sharing.fact.until'), dates.moment(consent.until)],
          ...(consent.endedAt === undefined ? [] : [[t(end), dates.moment(consent.endedAt)] as const]),
          ...(consent.keptUntil === undefined
            ? []
            : [
                [
                  t('sharing.fact.kept'),
                  t(`sharing.kept.${consent.keptFor as 'legal-claim'}`, { until: dates.day(consent.keptUntil) }),
                ] as const,
              ]),
          ...(consent.erasedAt === undefined
            ? []
            : [[t('sharing.fact.deleted'), dates.moment(consent.erasedAt)] as const]),
        ]}
      />
      <Transfers transfers={consent.transfers} />
      <Proofs consent={consent} />
    </>
  )
}

function Transfers(props: { readonly transfers: readonly TransferView[] }): ReactNode {
  const { t, tn } = useWords()
  const dates = useDates()
  const words = ({ outcome, records }: TransferView): string =>
    outcome === 'received' || outcome === 'received-in-part'
      ? tn(`sharing.outcome.${outcome}`, records)
      : t(`sharing.outcome.${outcome}`)
  return (
    <div className={style.transfers}>
      <h3>{t('sharing.transfers')}</h3>
      {props.transfers.length === 0 ? <p className={style.quiet}>{t('sharing.transfers-none')}</p> : null}
      <ul className={style.lines}>
        {props.transfers.map((transfer) => (
          <li key={transfer.id}>
            <time dateTime={transfer.doneAt ?? transfer.askedAt}>
              {dates.moment(transfer.doneAt ?? transfer.askedAt)}
            </time>
            <span>{words(transfer)}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** The newest proof of each kind: allowed, went, ended, deleted. */
function Proofs(props: { readonly consent: ConsentView }): ReactNode {
  const { t } = useWords()
  const [shown, show] = useState<Proof>()
  const { granted, emergency, ended, erased, transfers } = props.consent
  const kinds = [
    ['sharing.proof-emergency', emergency],
    ['sharing.proof-granted', emergency === undefined ? granted : undefined],
    ['sharing.proof-transfer', transfers.find(({ proof }) => proof !== undefined)?.proof],
    ['sharing.proof-ended', ended],
    ['sharing.proof-deleted', erased],
  ] as const
  return (
    <div className={style.transfers}>
      <h3>{t('sharing.proofs')}</h3>
      <div className={style.proofs}>
        {kinds.map(([words, proof]) =>
          proof === undefined ? null : (
            <Button key={words} icon="proof" onClick={() => show(proof)}>
              {t(words)}
            </Button>
          ),
        )}
      </div>
      {shown === undefined ? null : <ProofSheet id={shown.event} onClose={() => show(undefined)} />}
    </div>
  )
}
