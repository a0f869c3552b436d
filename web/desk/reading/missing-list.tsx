import type { ReactNode } from 'react'
import { useDates } from '../../ui/dates.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { Card } from '../../ui/page.tsx'
import { useRecordDates } from '../../ui/record/record-words.ts'
import { useWords } from '../words.ts'
import { type Opened, purposeKey } from './model.ts'
import style from './reading.module.css'

type Line = { readonly key: string; readonly icon: IconName; readonly says: string; readonly why?: string }

/** What a reader does not see, in plain sight, with the reason: held back, deleted, waited for, refused, cut, never asked. */
export function MissingList(props: {
  readonly opened: Opened
  /** Where it stands as a part of its own. */
  readonly isAlone?: boolean
}): ReactNode {
  const { opened } = props
  const Title = props.isAlone ? 'h2' : 'h3'
  const { t } = useWords()
  const held = useHeldLines(opened)
  const consents = useConsentLines(opened)
  const dates = useRecordDates()
  const names = dates.list(opened.elsewhere.map((one) => t(`reading.elsewhere-${one}`)))
  const elsewhere: readonly Line[] =
    names === '' ? [] : [{ key: 'elsewhere', icon: 'info', says: t('reading.missing-elsewhere', { names }) }]
  const lines = [...held, ...consents, ...elsewhere]
  return (
    <Card label={t('reading.missing')}>
      <Title>{t('reading.missing')}</Title>
      {lines.length === 0 ? (
        <p className={style.none}>{t('reading.missing-none')}</p>
      ) : (
        <ul className={style.missing}>
          {lines.map(({ key, icon, says, why }) => (
            <li key={key}>
              <Icon name={icon} />
              <div>
                <p>{says}</p>
                {why === undefined ? null : <p className={style.from}>{t('reading.missing-why', { why })}</p>}
              </div>
            </li>
          ))}
        </ul>
      )}
    </Card>
  )
}

const ERASED = { REVOKED: 'revoked', EXPIRED: 'expired', DENIED: 'denied' } as const

/** Documents that are held and not shown, deleted, or shown only in part. */
function useHeldLines({ withheld, erased, entries }: Opened): readonly Line[] {
  const { t, tn } = useWords()
  const dates = useDates()
  const groups = new Map<string, { readonly one: Opened['withheld'][number]; n: number }>()
  for (const one of withheld) {
    const key = [one.why, one.ground.hip.id, one.ground.purpose, one.says].join('|')
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { one, n: one.documents })
    else group.n += one.documents
  }
  const parts = entries.filter(({ document }) => document?.isSubset === true).length
  const unreadable = entries.filter(({ document, received }) => document === undefined && received === undefined).length
  return [
    ...[...groups].map(([key, { one, n }]): Line => {
      const place = one.ground.hip.name ?? one.ground.hip.id
      const purpose = one.ground.purpose === undefined ? '' : t(purposeKey(one.ground.purpose))
      const why = one.why === 'quarantined' || one.why === 'gate' ? one.says : undefined
      return {
        key,
        icon: one.why === 'quarantined' ? 'warning' : 'lock',
        says: tn(`reading.missing-${one.why}`, n, { place, purpose }),
        ...(why === undefined ? {} : { why }),
      }
    }),
    ...erased.map(({ reason, documents, erasedAt, ground }): Line => {
      const values = { place: ground.hip.name ?? ground.hip.id, day: dates.day(erasedAt) }
      return {
        key: ground.artefact,
        icon: 'stop',
        says: tn(`reading.missing-erased-${ERASED[reason]}`, documents, values),
      }
    }),
    ...(parts === 0 ? [] : [{ key: 'parts', icon: 'info', says: tn('reading.missing-subset', parts) } as const]),
    ...(unreadable === 0
      ? []
      : [{ key: 'unreadable', icon: 'warning', says: tn('reading.missing-unreadable', unreadable) } as const]),
  ]
}

/** What was asked of the patient and of other places, and did not come, or came cut. */
function useConsentLines({ consents }: Opened): readonly Line[] {
  const { t } = useWords()
  const dates = useDates()
  if (consents.length === 0) return [{ key: 'never', icon: 'info', says: t('reading.missing-never-asked') }]
  return consents.flatMap((consent): readonly Line[] => {
    // Nobody asked the patient; how far it has come stands beside the clock.
    if (consent.terms?.purpose === 'BTG') return consent.status === 'granted' ? placeLines(consent, t) : []
    const values = { who: consent.askedBy.name, day: dates.day(consent.askedAt) }
    if (consent.status === 'asked' || consent.status === 'requested')
      return [{ key: consent.id, icon: 'clock', says: t('reading.missing-asked', values) }]
    if (consent.status === 'denied')
      return [
        {
          key: consent.id,
          icon: 'stop',
          says: t('reading.missing-denied', values),
          ...(consent.reason === undefined ? {} : { why: consent.reason }),
        },
      ]
    if (consent.status !== 'granted') return []
    return [...cutLines(consent, t, dates.day), ...placeLines(consent, t)]
  })
}

type T = ReturnType<typeof useWords>['t']
type Consent = Opened['consents'][number]

function cutLines({ id, terms }: Consent, t: T, day: (at: string) => string): readonly Line[] {
  return (terms?.differences ?? []).flatMap((one): readonly Line[] => {
    const key = `${id} ${one.kind}`
    if (one.kind === 'types')
      return [
        {
          key,
          icon: 'lock',
          says: t('consents.change-types', { types: one.without.map((type) => t(`hi-type.${type}`)).join(', ') }),
        },
      ]
    if (one.kind !== 'from' && one.kind !== 'to') return []
    return [
      { key, icon: 'lock', says: t(`consents.change-${one.kind}`, { given: day(one.given), asked: day(one.asked) }) },
    ]
  })
}

const PLACES = {
  checking: ['clock', 'reading.missing-waiting'],
  waiting: ['clock', 'reading.missing-waiting'],
  coming: ['clock', 'reading.missing-coming'],
  part: ['warning', 'reading.missing-part'],
  nothing: ['info', 'reading.missing-nothing'],
} as const

function placeLines({ id, places }: Consent, t: T): readonly Line[] {
  return places.flatMap(({ state, hip, reason }, at): readonly Line[] => {
    if (state === 'here' || state === 'ended') return []
    const [icon, words] = PLACES[state]
    const place = hip?.name ?? hip?.id ?? t('reading.unnamed-place')
    return [{ key: `${id} ${at}`, icon, says: t(words, { place }), ...(reason === undefined ? {} : { why: reason }) }]
  })
}
