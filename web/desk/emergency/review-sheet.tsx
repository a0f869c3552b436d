import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { OUTCOMES, type Outcome } from '../../../src/incidents/emergency.ts'
import { call, type Problem } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { Choices, TextArea, Tick } from '../../ui/fields.tsx'
import { Sheet } from '../../ui/sheet.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'

const WORDS_MIN = 10

/** Writes down what a review found, at `path`; `title` asks what is to be judged. */
export function ReviewSheet(props: {
  readonly path: string
  readonly title: string
  readonly onClose: () => void
}): ReactNode {
  const { t } = useWords()
  const client = useQueryClient()
  const [outcome, setOutcome] = useState<Outcome>()
  const [words, setWords] = useState('')
  const [isBusy, setIsBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const isWhole = outcome !== undefined && words.trim().length >= WORDS_MIN
  const save = async (): Promise<void> => {
    setIsBusy(true)
    try {
      await call(props.path, { body: { outcome, words: words.trim() } })
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
      title={props.title}
      onClose={props.onClose}
      actions={
        <>
          <Button look="primary" isBusy={isBusy} disabled={!isWhole} onClick={() => void save()}>
            {t('emergency.review-save')}
          </Button>
          <Button onClick={props.onClose}>{t('common.cancel')}</Button>
        </>
      }
    >
      <Choices legend={t('emergency.verdict')}>
        {OUTCOMES.map((each) => (
          <Tick
            key={each}
            kind="radio"
            name="outcome"
            label={t(`emergency.outcome.${each}`)}
            checked={outcome === each}
            onChange={() => setOutcome(each)}
          />
        ))}
      </Choices>
      <TextArea
        label={t('emergency.finding')}
        hint={t('emergency.words-short')}
        maxLength={1_000}
        value={words}
        onChange={(event) => setWords(event.target.value)}
      />
      {problem === undefined ? null : (
        <Trouble
          error={problem}
          says={{
            'incidents/own-review': t('emergency.own'),
            'incidents/not-ended': t('emergency.not-yet-ended'),
          }}
        />
      )}
    </Sheet>
  )
}
