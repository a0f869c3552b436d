import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { EMERGENCY_REASONS, type EmergencyReason } from '../../../src/consent/emergency.ts'
import { LIMITS } from '../../../src/kernel/limits.ts'
import { call, type Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { Choices, TextArea, Tick } from '../../ui/fields.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Banner } from '../../ui/state.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { emergencyPath, useEmergency } from './model.ts'

type Patient = { readonly reference: string; readonly name: string }

const REASONS = Object.keys(EMERGENCY_REASONS) as EmergencyReason[]
const WORDS_MIN = 10
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** The button that breaks the glass, for those who meet emergencies, unless it is broken already. */
export function BreakGlass(props: { readonly patient: Patient }): ReactNode {
  const { t } = useWords()
  const [isAsking, setIsAsking] = useState(false)
  const { mayOpen, access } = useEmergency(props.patient.reference)
  if (!mayOpen || access !== undefined) return null
  return (
    <>
      <Button look="emergency" icon="emergency" onClick={() => setIsAsking(true)} aria-haspopup="dialog">
        {t('emergency.break')}
      </Button>
      {isAsking ? <AskGlass patient={props.patient} onClose={() => setIsAsking(false)} /> : null}
    </>
  )
}

/** One question, its consequences said before the verb. */
function AskGlass(props: { readonly patient: Patient; readonly onClose: () => void }): ReactNode {
  const { t } = useWords()
  const { name, reference } = props.patient
  const client = useQueryClient()
  const prove = useStepUp()
  const [reason, setReason] = useState<EmergencyReason>()
  const [words, setWords] = useState('')
  const [isTried, setIsTried] = useState(false)
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const isWhole = reason !== undefined && words.trim().length >= WORDS_MIN
  const open = async (): Promise<void> => {
    setIsTried(true)
    if (!isWhole) return
    setIsBusy(true)
    try {
      const proof = await prove('emergency.open', reference)
      if (proof === undefined) return
      await call(emergencyPath(reference), { body: { reason, words: words.trim(), stepUp: proof } })
      props.onClose()
      await client.invalidateQueries()
    } catch (error) {
      setProblem(error as Problem)
    } finally {
      setIsBusy(false)
    }
  }
  return (
    <Sheet
      title={t('emergency.title', { name })}
      onClose={props.onClose}
      actions={
        <>
          <Button look="emergency-primary" icon="emergency" isBusy={isBusy} onClick={() => void open()}>
            {t('emergency.open')}
          </Button>
          <Button onClick={props.onClose}>{t('common.cancel')}</Button>
        </>
      }
    >
      <Banner tone="emergency" title={t('emergency.only')}>
        <p>{t('emergency.what-opens', { minutes: LIMITS.emergencyMs / MINUTE_MS })}</p>
        <p>{t('emergency.what-follows', { name, days: LIMITS.emergencyReviewMs / DAY_MS })}</p>
      </Banner>
      <Choices legend={t('emergency.reason')}>
        {REASONS.map((each) => (
          <Tick
            key={each}
            kind="radio"
            name="reason"
            label={t(`emergency.reason.${each}`)}
            checked={reason === each}
            onChange={() => setReason(each)}
          />
        ))}
      </Choices>
      {isTried && reason === undefined ? <p role="alert">{t('emergency.reason-missing')}</p> : null}
      <TextArea
        label={t('emergency.words')}
        hint={t('emergency.words-hint')}
        maxLength={1_000}
        value={words}
        onChange={(event) => setWords(event.target.value)}
        {...(isTried && words.trim().length < WORDS_MIN ? { fault: t('emergency.words-short') } : {})}
      />
      {problem === undefined ? null : <Trouble error={problem} />}
    </Sheet>
  )
}
