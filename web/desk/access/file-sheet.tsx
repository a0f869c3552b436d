import { type ReactNode, useState } from 'react'
import type { FileForm } from '../../../src/desk/access-log-file.ts'
import { callForText } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { Choices, Tick } from '../../ui/fields.tsx'
import { saveFile } from '../../ui/save-file.ts'
import { Sheet } from '../../ui/sheet.tsx'
import { Banner } from '../../ui/state.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { ACCESS_PATH, searchOf, type Wanted } from './model.ts'

const FORMS = ['csv', 'ndjson'] as const satisfies readonly FileForm[]
const TYPES: Readonly<Record<FileForm, string>> = { csv: 'text/csv', ndjson: 'application/x-ndjson' }

/** Takes the list out of the house: which kind of file, then a proof anew. */
export function FileSheet(props: { readonly wanted: Wanted; readonly onClose: () => void }): ReactNode {
  const { t } = useWords()
  const prove = useStepUp()
  const [form, setForm] = useState<FileForm>('csv')
  const [isBusy, setIsBusy] = useState(false)
  const [isSaved, setIsSaved] = useState(false)
  const [error, setError] = useState<unknown>()
  const save = async (): Promise<void> => {
    setIsBusy(true)
    setError(undefined)
    try {
      const stepUp = await prove('export.read', 'access-log')
      if (stepUp === undefined) return
      const text = await callForText(`${ACCESS_PATH}/file`, { body: { ...searchOf(props.wanted), form, stepUp } })
      saveFile(`access-log-${new Date().toISOString().slice(0, 10)}.${form}`, TYPES[form], [text])
      setIsSaved(true)
    } catch (problem) {
      setError(problem)
    } finally {
      setIsBusy(false)
    }
  }
  return (
    <Sheet
      title={t('access.save-title')}
      onClose={props.onClose}
      actions={
        isSaved ? (
          <Button onClick={props.onClose}>{t('common.close')}</Button>
        ) : (
          <>
            <Button look="primary" icon="download" isBusy={isBusy} onClick={() => void save()}>
              {t('access.save')}
            </Button>
            <Button onClick={props.onClose}>{t('common.cancel')}</Button>
          </>
        )
      }
    >
      {error === undefined ? null : <Trouble error={error} says={{ 'request/invalid-field': t('access.too-long') }} />}
      {isSaved ? (
        <Banner tone="live" title={t('access.saved')} />
      ) : (
        <>
          <p>{t('access.save-text')}</p>
          <Choices legend={t('access.form')}>
            {FORMS.map((each) => (
              <Tick
                key={each}
                kind="radio"
                name="form"
                label={t(`access.form-${each}`)}
                detail={t(`access.form-${each}-text`)}
                checked={form === each}
                onChange={() => setForm(each)}
              />
            ))}
          </Choices>
        </>
      )}
    </Sheet>
  )
}
