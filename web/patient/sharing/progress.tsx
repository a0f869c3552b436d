import type { ReactNode } from 'react'
import type { ConsentView } from '../../../src/rights/views.ts'
import { useDates } from '../../ui/dates.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'
import type { Tone } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import style from './sharing.module.css'

type Step = {
  readonly key: string
  readonly words: string
  readonly tone: Tone
  readonly icon: IconName
  readonly at?: string
}

/** What has happened since sharing was stopped, one line for each confirmation as it arrives; nothing while all is live. */
export function StopProgress(props: { readonly consents: readonly ConsentView[] }): ReactNode {
  const { t } = useWords()
  const dates = useDates()
  const steps = useSteps(props.consents, dates.day)
  if (steps.length === 0) return null
  return (
    <div className={style.progress}>
      <p>{t('sharing.since')}</p>
      <ol className={style.steps} aria-live="polite">
        {steps.map(({ key, words, tone, icon, at }) => (
          <li key={key} data-tone={tone}>
            <Icon name={icon} />
            <span>{words}</span>
            {at === undefined ? null : (
              <time dateTime={at}>
                <bdi>{dates.exactTime(at)}</bdi>
              </time>
            )}
          </li>
        ))}
      </ol>
    </div>
  )
}

/** What an exchange ends when it shuts somebody out, it ends one after the other. */
const TOGETHER_MS = 60_000

/** Consents that ended together with the last one: what one tap stopped. */
function newestEnd(consents: readonly ConsentView[]): readonly ConsentView[] {
  const endOf = ({ endedAt }: ConsentView): number => (endedAt === undefined ? Number.NaN : Date.parse(endedAt))
  const ended = consents.filter(({ endedAt }) => endedAt !== undefined)
  const newest = Math.max(...ended.map(endOf))
  return ended.filter((consent) => newest - endOf(consent) < TOGETHER_MS)
}

function useSteps(all: readonly ConsentView[], sayDay: SayDay): readonly Step[] {
  const { t } = useWords()
  const consents = newestEnd(all)
  const [first] = consents
  if (first === undefined) return []
  const stopped: Step = {
    key: 'stopped',
    words: t(first.status === 'stopped' ? 'sharing.step.stopped' : 'sharing.step.ended'),
    tone: 'stopped',
    icon: 'stop',
    ...(first.endedAt === undefined ? {} : { at: first.endedAt }),
  }
  // What came under others is told with them: that nothing came would not be true.
  const isOfOthers = copiesOf(consents).length === 0 && copiesOf(all).length > 0
  const erased = isOfOthers ? undefined : erasedStep(consents, first.receiver, t, sayDay)
  return [stopped, ...toldSteps(consents, t), ...(erased === undefined ? [] : [erased])]
}

type Receiver = ConsentView['receiver']
type Say = ReturnType<typeof useWords>['t']
type SayDay = ReturnType<typeof useDates>['day']

/** One line for each party: it knows when it has confirmed all that it was told. */
function toldSteps(consents: readonly ConsentView[], t: Say): readonly Step[] {
  const notices = consents
    .flatMap((consent) => consent.notices)
    .filter(({ status }) => status === 'REVOKED' || status === 'EXPIRED')
  const parties = [...new Map(notices.map(({ facility }) => [facility.id, facility])).values()]
  const receiver = consents[0]?.receiver.id
  const isKept = copiesOf(consents).some(({ erasedAt, keptUntil }) => erasedAt === undefined && keptUntil === undefined)
  return parties.map(({ id, name, isShutOut }): Step => {
    const own = notices.filter(({ facility }) => facility.id === id)
    const confirmed = own.map(({ confirmedAt }) => confirmedAt).filter((at) => at !== undefined)
    const key = `told-${id}`
    if (confirmed.length === own.length) {
      const at = confirmed.toSorted().at(-1)
      return {
        key,
        words: t('sharing.step.knows', { name }),
        tone: 'live',
        icon: 'check',
        ...(at === undefined ? {} : { at }),
      }
    }
    if (isShutOut === true) {
      const words = t(isKept && id === receiver ? 'sharing.step.shut-out' : 'sharing.step.shut-out-untold', { name })
      return { key, words, tone: 'stopped', icon: 'warning' }
    }
    return own.some(({ failure, confirmedAt }) => failure !== undefined && confirmedAt === undefined)
      ? { key, words: t('sharing.step.untold', { name }), tone: 'waiting', icon: 'warning' }
      : { key, words: t('sharing.step.telling', { name }), tone: 'waiting', icon: 'clock' }
  })
}

/** Under which consents something was received. */
function copiesOf(consents: readonly ConsentView[]): readonly ConsentView[] {
  return consents.filter(({ records, erasedAt }) => records > 0 || erasedAt !== undefined)
}

/** Undefined where nobody is left to wait for: a receiver that was shut out confirms nothing. */
function erasedStep(consents: readonly ConsentView[], receiver: Receiver, t: Say, sayDay: SayDay): Step | undefined {
  const { name, isShutOut } = receiver
  const copies = copiesOf(consents)
  const key = 'erased'
  if (copies.length === 0) return { key, words: t('sharing.step.no-copy', { name }), tone: 'calm', icon: 'info' }
  const erased = copies.map(({ erasedAt }) => erasedAt).filter((at) => at !== undefined)
  const left = copies.filter(({ erasedAt }) => erasedAt === undefined)
  const [kept] = left.toSorted((a, b) => (b.keptUntil ?? '').localeCompare(a.keptUntil ?? ''))
  // A copy that a law keeps is not waited for.
  if (kept?.keptUntil !== undefined && left.every(({ keptUntil }) => keptUntil !== undefined)) {
    const why = t(`sharing.kept.${kept.keptFor as 'legal-claim'}`, { until: sayDay(kept.keptUntil) })
    return { key, words: `${t('sharing.fact.kept')}: ${why}`, tone: 'calm', icon: 'lock' }
  }
  if (erased.length < copies.length && isShutOut === true) return undefined
  if (erased.length < copies.length)
    return { key, words: t('sharing.step.deleting', { name }), tone: 'waiting', icon: 'clock' }
  const at = erased.toSorted().at(-1)
  return {
    key,
    words: t('sharing.step.deleted', { name }),
    tone: 'live',
    icon: 'check',
    ...(at === undefined ? {} : { at }),
  }
}
