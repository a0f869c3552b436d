import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect } from 'react'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { Button, ButtonLink, ButtonRow } from '../../ui/button.tsx'
import { useDates } from '../../ui/dates.ts'
import { Banner, Bar } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useAct } from '../act.ts'
import { useWords } from '../words.ts'
import style from './emergency.module.css'
import { type Access, type Others, useEmergency, useMsLeft } from './model.ts'

const MINUTE_MS = 60_000

type Props = {
  readonly patient: { readonly reference: string; readonly name: string }
  /** The way to the records, where one is not there already. */
  readonly toRead?: string
}

/** While I have broken the glass of this patient: the clock in plain sight, what comes from others, and the end in one tap. */
export function EmergencyClock(props: Props): ReactNode {
  const { access, others } = useEmergency(props.patient.reference)
  return access === undefined ? null : <Clock {...props} access={access} others={others} />
}

function Clock(props: Props & { readonly access: Access; readonly others: Others }): ReactNode {
  const { t, tn } = useWords()
  const dates = useDates()
  const client = useQueryClient()
  const { patient, others, toRead } = props
  const { id, until } = props.access
  const leftMs = useMsLeft(until) ?? 0
  const isOut = leftMs <= 0
  useEffect(() => {
    if (isOut) void client.invalidateQueries()
  }, [isOut, client])
  const end = useAct<void>(() => ({ path: `/v1/desk/emergencies/${id}/end` }))
  const { name } = patient
  return (
    <Banner tone="emergency" title={t('emergency.is-open', { name, time: dates.time(until) })}>
      {/* Each minute would be read out again; the sentence above says until when. */}
      <div className={style.clock} aria-hidden="true">
        <Bar share={leftMs / LIMITS.emergencyMs} tone="emergency" />
        <b>{tn('emergency.left', Math.max(1, Math.ceil(leftMs / MINUTE_MS)))}</b>
      </div>
      <p>{useToldWords(props.access, others, name)}</p>
      <OthersWords others={others} name={name} />
      <div className={style.acts}>
        <ButtonRow>
          {toRead === undefined ? null : (
            <ButtonLink look="emergency-primary" icon="eye" to={toRead}>
              {t('emergency.read')}
            </ButtonLink>
          )}
          <Button icon="stop" isBusy={end.isBusy} onClick={() => end.run()}>
            {t('emergency.end')}
          </Button>
        </ButtonRow>
      </div>
      {end.error === null ? null : <Trouble error={end.error} />}
    </Banner>
  )
}

/** Whether the patient has been told: by the exchange, which says so when it answers; else by this hospital, if a text message reaches her. */
function useToldWords({ told, onPaper }: Access, others: Others, name: string): string {
  const { t } = useWords()
  if (told === 'text') return t('emergency.told-by-text', { name })
  if (told === 'letter')
    return t(`emergency.tell.${onPaper ?? 'no-mobile'}`, { name, n: LIMITS.emergenciesPerPatientDayMax })
  const isAnswered = others !== null && others.status !== 'asked'
  return t(isAnswered ? 'emergency.ends-by-itself' : 'emergency.told-later', { name })
}

function OthersWords({ others, name }: { readonly others: Others; readonly name: string }): ReactNode {
  const { t, tn } = useWords()
  if (others === null) return null
  const { status, places, reason } = others
  if (status === 'failed') {
    return (
      <p>
        {t('emergency.others-refused')} {reason === undefined ? null : <small dir="auto">{reason}</small>}
      </p>
    )
  }
  if (status === 'revoked' || status === 'denied') return <p>{t('emergency.others-stopped', { name })}</p>
  if (status === 'asked') return <p>{t('emergency.others-unreached')}</p>
  const came = places.filter(({ state }) => state === 'here' || state === 'part').length
  return <p>{came === 0 ? t('emergency.asking-others') : tn('emergency.others-came', places.length, { came })}</p>
}
