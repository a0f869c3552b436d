import type { ReactNode } from 'react'
import { Link } from 'wouter'
import type { HiType } from '../../../src/fhir/hi-type.ts'
import type { LookView } from '../../../src/rights/views.ts'
import { Button, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Disclosure } from '../../ui/disclosure.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Card, Facts } from '../../ui/page.tsx'
import { State } from '../../ui/state.tsx'
import { useKnownWords } from '../known-words.ts'
import { facilityIcon } from '../sharing/facility-icon.ts'
import { useWords } from '../words.ts'
import type { LookGroup } from './groups.ts'
import style from './looked.module.css'

/** Looks that are one act: who, from where, when, why, what, on what ground. */
export function LookCard(props: {
  readonly looks: LookGroup
  readonly hasDay: boolean
  readonly onProve: (look: LookView) => void
  readonly onAsk: (look: LookView) => void
}): ReactNode {
  const { t } = useWords()
  const { role } = useKnownWords()
  const dates = useDates()
  const { looks, hasDay, onProve, onAsk } = props
  const [look] = looks
  const { event, facility, question } = look
  const person = event.actor.person
  return (
    <Card>
      <div className={style.who}>
        <Icon name={facilityIcon(facility.kinds)} size={24} />
        <div>
          <h3>
            <bdi>{person?.name ?? facility.name}</bdi>
          </h3>
          <p>
            {person === undefined ? null : (
              <>
                <bdi>{role(person.role)}</bdi>
                {' · '}
              </>
            )}
            <bdi>{facility.name}</bdi>
          </p>
        </div>
        <time dateTime={event.at}>{hasDay ? dates.moment(event.at) : dates.time(event.at)}</time>
      </div>
      <Flags look={look} />
      <Facts
        rows={[
          [t('looked.why'), t(`purpose.${event.purpose as 'CAREMGT'}`)],
          [t('looked.what'), <What key="what" looks={looks} />],
          [t('looked.basis'), <Ground key="ground" look={look} />],
        ]}
      />
      {question === undefined ? null : <p>{t('looked.asked', { number: question.number })}</p>}
      <ButtonRow>
        {looks.length > 1 ? null : <ProofButton look={look} onProve={onProve} />}
        {question === undefined || question.status === 'answered' ? (
          <Button look="quiet" onClick={() => onAsk(look)}>
            {t('looked.ask')}
          </Button>
        ) : null}
      </ButtonRow>
      {looks.length > 1 ? <Entries looks={looks} onProve={onProve} /> : null}
    </Card>
  )
}

/** What stands out. */
function Flags({ look }: { readonly look: LookView }): ReactNode {
  const { t } = useWords()
  const { unusual, event } = look
  if (unusual.length === 0 && event.asFile !== true) return null
  return (
    <p className={style.flags}>
      {event.asFile === true ? (
        <State tone="calm" icon="download">
          {t('looked.as-file')}
        </State>
      ) : null}
      {unusual.map((why) => (
        <State
          key={why}
          tone={why === 'emergency' ? 'emergency' : 'waiting'}
          {...(why === 'emergency' ? {} : { icon: 'warning' as const })}
        >
          {t(`looked.unusual.${why}`)}
        </State>
      ))}
    </p>
  )
}

type OnProve = { readonly onProve: (look: LookView) => void }

function ProofButton(props: OnProve & { readonly look: LookView }): ReactNode {
  const { t } = useWords()
  const { look, onProve } = props
  return (
    <Button icon="proof" onClick={() => onProve(look)}>
      {t('looked.check')}
    </Button>
  )
}

/** Each document that was opened is an entry of its own, with a proof of its own. */
function Entries(props: OnProve & { readonly looks: LookGroup }): ReactNode {
  const { t, tn } = useWords()
  const dates = useDates()
  const { looks, onProve } = props
  return (
    <Disclosure label={tn('looked.entries', looks.length)}>
      <ul className={style.entries}>
        {looks.map((look) => (
          <li key={look.id}>
            <span>
              {look.event.what.map(({ hiType }) => t(`hi-type.${hiType as HiType}`)).join(' · ')}
              <time dateTime={look.event.at}>{dates.exactTime(look.event.at)}</time>
            </span>
            <ProofButton look={look} onProve={onProve} />
          </li>
        ))}
      </ul>
    </Disclosure>
  )
}

/** Types with how many of each. */
function What(props: { readonly looks: LookGroup }): ReactNode {
  const { t, language } = useWords()
  const what = props.looks.flatMap(({ event }) => event.what)
  const types = [...new Set(what.map(({ hiType }) => hiType))]
  const said = types.map((type) => {
    const count = what.filter(({ hiType }) => hiType === type).length
    const name = t(`hi-type.${type as HiType}`)
    return count === 1 ? name : t('common.counted', { what: name, n: count })
  })
  return new Intl.ListFormat(`${language}-IN`).format(said)
}

function Ground(props: { readonly look: LookView }): ReactNode {
  const { t } = useWords()
  const { basis, consent } = props.look
  if (basis === 'own-care') return t('looked.basis.own-care')
  const ground = basis === 'emergency' ? t('looked.basis.emergency') : t(`looked.consent.${consent?.status as 'live'}`)
  if (consent === undefined) return basis === 'emergency' ? ground : t('looked.consent-unknown')
  return (
    <>
      <p>{ground}</p>
      <Link href={`/sharing/${consent.request}`} className={style.link ?? ''}>
        {t(basis === 'emergency' ? 'looked.see-opened' : 'looked.see-consent')}
      </Link>
    </>
  )
}
