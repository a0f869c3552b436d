import type { ReactNode } from 'react'
import type { ReceiptCheck } from '../../src/audit/receipt-check.ts'
import { useDates } from '../ui/dates.ts'
import { Disclosure } from '../ui/disclosure.tsx'
import { Card, Facts, Part } from '../ui/page.tsx'
import { Banner } from '../ui/state.tsx'
import { eventKey } from './events.ts'
import style from './verify.module.css'
import { useWords } from './words.ts'

type Holds = Extract<ReceiptCheck, { readonly state: 'holds' }>

/** What was proved, what the event says, and what was not proved: in that order, in plain words. */
export function Result({ check }: { readonly check: ReceiptCheck }): ReactNode {
  const { t } = useWords()
  if (check.state !== 'holds') {
    const isForged = check.state === 'forged'
    return (
      <Banner
        tone={isForged ? 'stopped' : 'waiting'}
        isAlert
        title={t(isForged ? 'verify.forged' : 'verify.malformed')}
      >
        <p>{t(isForged ? 'verify.forged-text' : 'verify.malformed-text')}</p>
        <p lang="en" dir="ltr">
          <small>{check.why}</small>
        </p>
      </Banner>
    )
  }
  return (
    <div className={style.result}>
      <Verdict check={check} />
      <Proved check={check} />
      <EventSays check={check} />
      <NotProved check={check} />
    </div>
  )
}

function Verdict({ check: { policy, cosigned } }: { readonly check: Holds }): ReactNode {
  const { t } = useWords()
  if (policy?.satisfied === false)
    return (
      <Banner tone="waiting" title={t('verify.waiting')}>
        <p>{t('verify.waiting-text', { quorum: policy.quorum })}</p>
      </Banner>
    )
  if (policy === undefined && cosigned.length === 0)
    return (
      <Banner tone="waiting" title={t('verify.holds')}>
        <p>{t('verify.holds-alone')}</p>
      </Banner>
    )
  return (
    <Banner tone="live" title={t('verify.holds')}>
      <p>{policy === undefined ? t('verify.holds-text') : t('verify.holds-policy', { quorum: policy.quorum })}</p>
    </Banner>
  )
}

function Proved({ check }: { readonly check: Holds }): ReactNode {
  const { t, tn } = useWords()
  const dates = useDates()
  const seen = check.cosigned.map(({ name, at }) => (
    <div key={name}>
      <bdi>{name}</bdi>, {dates.moment(at)}
    </div>
  ))
  return (
    <Part title={t('verify.proved')}>
      <Card>
        <Facts
          rows={[
            [t('verify.log'), <bdi key="log">{check.origin}</bdi>],
            [t('verify.place'), tn('verify.place-text', check.size, { entry: check.entry })],
            [t('verify.recorded'), dates.moment(check.receipt.at)],
            [t('verify.cosigned'), seen.length === 0 ? t('verify.nobody') : seen],
          ]}
        />
      </Card>
    </Part>
  )
}

function EventSays({ check: { receipt } }: { readonly check: Holds }): ReactNode {
  const { t } = useWords()
  const type = typeof receipt.event['type'] === 'string' ? receipt.event['type'] : ''
  const key = eventKey(type)
  const rows = Object.entries(receipt.event).flatMap(([name, value]): readonly (readonly [ReactNode, ReactNode])[] => {
    const text = shortText(name, value)
    return text === undefined
      ? []
      : [
          [
            <bdi key={name} lang="en">
              {name}
            </bdi>,
            <bdi key={`${name}-value`}>{text}</bdi>,
          ],
        ]
  })
  return (
    <Part title={t('verify.event')}>
      <Card>
        <p>
          <b>{key === undefined ? t('verify.event-other', { type }) : t(key)}</b>
        </p>
        {rows.length === 0 ? null : <Facts rows={rows} />}
        <Disclosure label={t('verify.raw')}>
          <pre className={style.raw} lang="en">
            {JSON.stringify(receipt.event, null, 2)}
          </pre>
        </Disclosure>
      </Card>
    </Part>
  )
}

/** Values that are short texts stand in the table; the rest is in the whole event. */
function shortText(name: string, value: unknown): string | undefined {
  if (name === 'type') return undefined
  if (typeof value === 'string') return value.length <= 200 ? value : undefined
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (name === 'actor' || name === 'person') return namesOf(value)
  return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value.join(', ') : undefined
}

function namesOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const texts = Object.entries(value).flatMap(([name, each]): readonly string[] => {
    if (typeof each === 'string') return name === 'staff' ? [] : [each]
    return namesOf(each) === undefined ? [] : [namesOf(each) ?? '']
  })
  return texts.join(', ')
}

function NotProved({ check: { keys, policy, cosigned } }: { readonly check: Holds }): ReactNode {
  const { t } = useWords()
  return (
    <Part title={t('verify.not-proved')}>
      <ul className={style.points}>
        {keys === 'own' ? <li>{t('verify.not-keys')}</li> : null}
        {policy === undefined && cosigned.length > 0 ? <li>{t('verify.not-independent')}</li> : null}
        <li>{t('verify.not-true')}</li>
        <li>{t('verify.not-all')}</li>
      </ul>
    </Part>
  )
}
