import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { State } from '../../ui/state.tsx'
import type { FlowMessage } from '../flow.ts'
import { outcomeOf, shortPath } from '../outcome.ts'
import type { Lane } from '../session.ts'
import { faultsOf, useConsoleState } from '../state.ts'
import { useExactTime } from '../times.ts'
import { type ConsoleKey, useWords } from '../words.ts'
import style from './diagram.module.css'
import { laneName, lanesFor } from './lanes.ts'

const ROW_PX = 44
const LINE_Y = 31
const LABEL_Y = 18
/** Width of one character of the small monospaced face. */
const CHARACTER_PX = 6.7
const HEAD_PX = 7

/** One lane for each party, time downwards, an arrow for each message. Arrow keys walk, Enter opens. */
export function Diagram(props: {
  readonly messages: readonly FlowMessage[]
  readonly lanes: readonly Lane[]
  readonly openId?: string
  readonly onOpen: (id: string) => void
}): ReactNode {
  const { t, dir } = useWords()
  const { messages } = props
  const lanes = lanesFor(props.lanes, messages)
  const state = useConsoleState().data
  const scroller = useRef<HTMLDivElement>(null)
  const head = useRef<HTMLDivElement>(null)
  const width = useWidth(head)
  useFollowEnd(scroller, messages.length)
  useOpenInSight(scroller, props.openId, width)
  const [walked, setWalked] = useState<string>()
  const current = messages.some(({ id }) => id === walked) ? walked : (props.openId ?? messages.at(-1)?.id)
  const walk = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -messages.length, End: messages.length }[event.key]
    if (step === undefined) return
    event.preventDefault()
    const at = messages.findIndex(({ id }) => id === current)
    const next = messages[Math.min(messages.length - 1, Math.max(0, at + step))]
    if (next === undefined) return
    setWalked(next.id)
    scroller.current?.querySelector<HTMLElement>(`[data-message="${next.id}"]`)?.focus()
  }
  return (
    <section className={style.diagram} ref={scroller} aria-label={t('console.diagram')}>
      <div className={style.head}>
        <span className={style.time} />
        <div className={style.lanes} ref={head}>
          {lanes.map((lane) => {
            const [fault] = faultsOf(state, lane.id)
            return (
              <div key={lane.id} className={style.lane} title={lane.name}>
                <bdi>{laneName(lanes, lane.id, t)}</bdi>
                {fault === undefined ? null : (
                  <State tone="emergency" icon="warning">
                    {t(`console.fault-${fault.kind}`)}
                  </State>
                )}
              </div>
            )
          })}
        </div>
        <span className={style.outcome} aria-hidden="true" />
      </div>
      <ol className={style.rows}>
        {messages.map((message) => (
          <li key={message.id}>
            <Row
              message={message}
              lanes={lanes}
              width={width}
              isRtl={dir === 'rtl'}
              isOpen={message.id === props.openId}
              isCurrent={message.id === current}
              onWalk={walk}
              onOpen={() => {
                setWalked(message.id)
                props.onOpen(message.id)
              }}
            />
          </li>
        ))}
      </ol>
    </section>
  )
}

function Row(props: {
  readonly message: FlowMessage
  readonly lanes: readonly Lane[]
  readonly width: number
  readonly isRtl: boolean
  readonly isOpen: boolean
  readonly isCurrent: boolean
  readonly onWalk: (event: KeyboardEvent) => void
  readonly onOpen: () => void
}): ReactNode {
  const { t } = useWords()
  const exactTime = useExactTime()
  const { message, lanes } = props
  const outcome = outcomeOf(message)
  const names = { from: laneName(lanes, message.from, t), to: laneName(lanes, message.to, t) }
  return (
    <button
      type="button"
      className={style.row}
      data-message={message.id}
      data-tone={outcome.tone}
      aria-current={props.isOpen || undefined}
      tabIndex={props.isCurrent ? 0 : -1}
      onClick={props.onOpen}
      onKeyDown={props.onWalk}
    >
      <time className={style.time} dateTime={message.at}>
        {exactTime(message.at)}
      </time>
      <span className="visually-hidden">
        {t('console.from-to', names)} {message.path}
      </span>
      <Arrow message={message} lanes={lanes} width={props.width} isRtl={props.isRtl} />
      <span className={style.outcome}>
        <Icon name={outcome.icon} size={16} />
        <span>
          {t(outcome.words)} <bdi>{message.status ?? ''}</bdi>
        </span>
      </span>
    </button>
  )
}

/** Where lanes stand, mirrored with the page; the arrow from one to the other, and what it carries. */
function Arrow(props: {
  readonly message: FlowMessage
  readonly lanes: readonly Lane[]
  readonly width: number
  readonly isRtl: boolean
}): ReactNode {
  const { t } = useWords()
  const { message, lanes, width, isRtl } = props
  const xOf = (id: string): number => {
    const at = lanes.findIndex((lane) => lane.id === id)
    const x = ((Math.max(0, at) + 0.5) * width) / Math.max(1, lanes.length)
    return Math.round(isRtl ? width - x : x)
  }
  const [x1, x2] = [xOf(message.from), xOf(message.to)]
  const side = x2 >= x1 ? 1 : -1
  const label = labelOf(message, t)
  const half = (label.length * CHARACTER_PX) / 2
  const middle = Math.min(Math.max((x1 + x2) / 2, half + 4), Math.max(half + 4, width - half - 4))
  const didArrive = message.error === undefined || message.received !== undefined
  const end = didArrive ? x2 : (x1 + x2) / 2
  return (
    <svg className={style.arrow} width={width} height={ROW_PX} viewBox={`0 0 ${width} ${ROW_PX}`} aria-hidden="true">
      {lanes.map(({ id }) => (
        <line key={id} className={style.life} x1={xOf(id)} x2={xOf(id)} y1={0} y2={ROW_PX} />
      ))}
      <rect className={style.back} x={middle - half - 3} y={3} width={half * 2 + 6} height={20} rx={3} />
      <text className={style.label} x={middle} y={LABEL_Y} textAnchor="middle" direction="ltr">
        {label}
      </text>
      <line className={style.line} x1={x1} x2={end} y1={LINE_Y} y2={LINE_Y} />
      {didArrive ? (
        <path
          className={style.tip}
          d={`M${x2} ${LINE_Y}l${-side * HEAD_PX * 1.4} ${-HEAD_PX / 1.4}v${HEAD_PX * 1.43}z`}
        />
      ) : (
        <path className={style.lost} d={`M${end - 5} ${LINE_Y - 5}l10 10M${end + 5} ${LINE_Y - 5}l-10 10`} />
      )}
      <circle className={style.start} cx={x1} cy={LINE_Y} r={3} />
    </svg>
  )
}

function labelOf(
  message: FlowMessage,
  t: (key: ConsoleKey, values?: Record<string, string | number>) => string,
): string {
  const again =
    message.attempt !== undefined && message.attempt > 1
      ? `${t('common.between')}${t('console.try', { n: message.attempt })}`
      : ''
  const byHand = message.replayOf === undefined ? '' : `${t('common.between')}${t('console.by-hand')}`
  return `${message.method} ${shortPath(message.path)}${again}${byHand}`
}

/** The width of an element, also after the window changed. */
function useWidth(place: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const element = place.current
    if (element === null) return undefined
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)))
    observer.observe(element)
    return () => observer.disconnect()
  }, [place])
  return width
}

const NEAR_END_PX = 80

/** Stays at the end while new rows come, unless somebody scrolled up to read. */
function useFollowEnd(place: { readonly current: HTMLElement | null }, rows: number): void {
  const isAtEnd = useRef(true)
  useEffect(() => {
    const element = place.current
    if (element === null) return undefined
    const note = (): void => {
      isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX
    }
    element.addEventListener('scroll', note, { passive: true })
    return () => element.removeEventListener('scroll', note)
  }, [place])
  useLayoutEffect(() => {
    const element = place.current
    if (element !== null && isAtEnd.current && rows > 0) element.scrollTo({ top: element.scrollHeight })
  }, [place, rows])
}

/** What was opened stays in sight when the diagram makes room for it. */
function useOpenInSight(
  place: { readonly current: HTMLElement | null },
  openId: string | undefined,
  width: number,
): void {
  useEffect(() => {
    if (openId === undefined || width === 0) return
    place.current?.querySelector(`[data-message="${openId}"]`)?.scrollIntoView({ block: 'nearest' })
  }, [place, openId, width])
}
