import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { ProofCheck, ProofLine } from '../../../src/audit/proof-check.ts'
import { actingFor, Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { State, type Tone } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { type PatientKey, useWords } from '../words.ts'
import style from './looked.module.css'

const NOT_SEQUENCED = 'log/not-sequenced'
const AGAIN_MS = 1_000
type Checked = { readonly check: ProofCheck; readonly receipt: string }

/** Three lines that turn green when this device has computed each of them; red with a plain sentence when one does not hold. */
export function ProofSheet(props: {
  /** The event. */
  readonly id: string
  /** What is shown of it; the receipt must say the same. */
  readonly event?: unknown
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const { id, event, onClose } = props
  const { data, error, failureReason, refetch } = useQuery<Checked, Error>({
    queryKey: [actingFor() ?? '', 'proof', id],
    // The arithmetic of proofs is loaded when somebody asks for one.
    queryFn: async () => (await import('./device-proof.ts')).checkOnDevice(id, event),
    retry: (failures, failure) => failures < 30 && isTooNew(failure),
    retryDelay: AGAIN_MS,
    staleTime: 0,
    gcTime: 0,
  })
  const isWaiting = data === undefined && error === null
  return (
    <Sheet title={t('proof.title')} onClose={onClose}>
      <p>{t('proof.text')}</p>
      <ol className={style.proof} aria-live="polite" aria-busy={isWaiting}>
        <EntryLine check={data?.check} />
        <LogLine check={data?.check} />
        <WitnessLine check={data?.check} />
      </ol>
      {data === undefined && failureReason !== null && isTooNew(failureReason) ? (
        <p role="status">{t('proof.waiting')}</p>
      ) : null}
      {error === null || isTooNew(error) ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {data === undefined ? null : <Save receipt={data.receipt} id={id} />}
    </Sheet>
  )
}

const isTooNew = (error: Error): boolean => error instanceof Problem && error.code === NOT_SEQUENCED

type LineProps = { readonly check: ProofCheck | undefined }

function EntryLine({ check }: LineProps): ReactNode {
  return <Line title="proof.entry" line={check?.entry} />
}

function LogLine({ check }: LineProps): ReactNode {
  const { t } = useWords()
  const log = check?.log
  return (
    <Line title="proof.log" line={log}>
      {log?.state !== 'holds'
        ? null
        : log.since === undefined
          ? t('proof.log-first')
          : t('proof.log-since', { n: log.since })}
    </Line>
  )
}

function WitnessLine({ check }: LineProps): ReactNode {
  const { t } = useWords()
  const witnesses = check?.witnesses
  return (
    <Line title="proof.witnesses" line={witnesses}>
      {witnesses?.state === 'holds' ? (
        <ul className={style.names}>
          {witnesses.by.map((name) => (
            <li key={name}>
              <bdi>{name}</bdi>
            </li>
          ))}
        </ul>
      ) : witnesses?.state === 'waits' ? (
        t('proof.witnesses-wait')
      ) : null}
    </Line>
  )
}

const LOOKS: Readonly<Record<ProofLine['state'] | 'checking', { readonly tone: Tone; readonly icon: IconName }>> = {
  checking: { tone: 'calm', icon: 'clock' },
  holds: { tone: 'live', icon: 'check' },
  waits: { tone: 'waiting', icon: 'clock' },
  fails: { tone: 'stopped', icon: 'warning' },
}

function Line(props: {
  readonly title: PatientKey
  readonly line: ProofLine | undefined
  readonly children?: ReactNode
}): ReactNode {
  const { t } = useWords()
  const state = props.line?.state ?? 'checking'
  const { tone, icon } = LOOKS[state]
  return (
    <li data-tone={tone} data-proof={state}>
      <Icon name={icon} size={24} />
      <div>
        <p className={style.lineHead}>
          <b>{t(props.title)}</b>
          <State tone={tone} icon={icon}>
            {t(`proof.state.${state}`)}
          </State>
        </p>
        {props.line?.state === 'fails' ? <p>{t(`proof.fails.${props.line.why}`)}</p> : props.children}
      </div>
    </li>
  )
}

/** The receipt as a file, for `amanat log verify` or anybody's own program. */
function Save(props: { readonly receipt: string; readonly id: string }): ReactNode {
  const { t } = useWords()
  const [isSaved, setSaved] = useState(false)
  const save = (): void => {
    const url = URL.createObjectURL(new Blob([props.receipt], { type: 'application/json' }))
    const link = document.createElement('a')
    link.href = url
    link.download = `receipt-${props.id}.json`
    link.click()
    // The download has begun by then; the bytes need not stay in memory.
    setTimeout(() => URL.revokeObjectURL(url), 10_000)
    setSaved(true)
  }
  return (
    <div className={style.save}>
      <div>
        <Button icon={isSaved ? 'check' : 'download'} onClick={save}>
          {t('proof.save')}
        </Button>
      </div>
      <p className={style.quiet}>{t('proof.save-text')}</p>
    </div>
  )
}
