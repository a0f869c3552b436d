import type { ReactNode } from 'react'
import type { HeldConsent } from '../../../src/desk/provider.ts'
import { useDates } from '../../ui/dates.ts'
import { Facts } from '../../ui/page.tsx'
import { State, type Tone } from '../../ui/state.tsx'
import type { Wire } from '../wire.ts'
import { type DeskKey, useWords } from '../words.ts'
import style from './provider.module.css'

export type HeldShown = Wire<HeldConsent>

const STATES: Readonly<Record<HeldShown['status'], readonly [Tone, DeskKey]>> = {
  GRANTED: ['live', 'provider.state-GRANTED'],
  REVOKED: ['stopped', 'provider.state-REVOKED'],
  EXPIRED: ['calm', 'provider.state-EXPIRED'],
}

/** One consent under which we share, or shared. */
export function HeldRow(props: { readonly consent: HeldShown }): ReactNode {
  const { consent } = props
  const { t, rich, language } = useWords()
  const dates = useDates()
  const [tone, words] = STATES[consent.status]
  const { patient, receiver, hiTypes, from, to, keepUntil } = consent
  const list = new Intl.ListFormat(`${language}-IN`, { type: 'conjunction' })
  const rows: (readonly [string, string])[] = [
    ...(consent.purpose === undefined
      ? []
      : [[t('provider.purpose'), t(`purpose.${consent.purpose}` as DeskKey)] as const]),
    ...(hiTypes === undefined
      ? []
      : [[t('provider.types'), list.format(hiTypes.map((type) => t(`hi-type.${type}` as DeskKey)))] as const]),
    ...(from === undefined || to === undefined
      ? []
      : [
          [
            t('provider.period'),
            t('provider.period-value', { from: dates.shortDay(from), to: dates.shortDay(to) }),
          ] as const,
        ]),
    ...(keepUntil === undefined ? [] : [[t('provider.keep-until'), dates.day(keepUntil)] as const]),
    ...(consent.careContexts === undefined
      ? []
      : [[t('provider.contexts'), dates.number(consent.careContexts)] as const]),
  ]
  return (
    <article className={style.row}>
      <div className={style.head}>
        <p>
          {patient === undefined || receiver === undefined
            ? t('provider.ended-elsewhere')
            : rich('provider.consent-line', {
                patient: <b>{patient.name ?? patient.abhaAddress}</b>,
                receiver: <b>{receiver.name ?? receiver.id}</b>,
              })}
        </p>
        <State tone={tone}>{t(words)}</State>
      </div>
      <p className={style.quiet}>
        <span>{t('provider.received-on', { when: dates.moment(consent.receivedAt) })}</span>
        {consent.endedAt === undefined ? null : (
          <span>{t('provider.ended-on', { when: dates.moment(consent.endedAt) })}</span>
        )}
      </p>
      {rows.length === 0 ? null : <Facts rows={rows} />}
    </article>
  )
}
