import { type ReactNode, useState } from 'react'
import type { RecordsExport } from '../../../src/desk/export.ts'
import { call } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import { Choices, Tick } from '../../ui/fields.tsx'
import { saveFile } from '../../ui/save-file.ts'
import { Sheet } from '../../ui/sheet.tsx'
import { Banner } from '../../ui/state.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { pathOf } from './model.ts'

type Patient = { readonly reference: string; readonly name: string }
const PURPOSES = ['PATRQT', 'CAREMGT'] as const
type Purpose = (typeof PURPOSES)[number]

/** The records office gives out a copy: what for, a proof anew, the file, and what is not in it. */
export function ExportButton(props: { readonly patient: Patient }): ReactNode {
  const { t } = useWords()
  const [isAsking, setIsAsking] = useState(false)
  return (
    <>
      <Button icon="download" aria-haspopup="dialog" onClick={() => setIsAsking(true)}>
        {t('export.take')}
      </Button>
      {isAsking ? <ExportSheet patient={props.patient} onClose={() => setIsAsking(false)} /> : null}
    </>
  )
}

function ExportSheet(props: { readonly patient: Patient; readonly onClose: () => void }): ReactNode {
  const { t } = useWords()
  const { reference, name } = props.patient
  const prove = useStepUp()
  const [purpose, setPurpose] = useState<Purpose>()
  const [isTried, setIsTried] = useState(false)
  const [isBusy, setIsBusy] = useState(false)
  const [taken, setTaken] = useState<RecordsExport>()
  const [error, setError] = useState<unknown>()
  const take = async (): Promise<void> => {
    setIsTried(true)
    if (purpose === undefined) return
    setIsBusy(true)
    setError(undefined)
    try {
      const stepUp = await prove('export.read', reference)
      if (stepUp === undefined) return
      const answer = await call<RecordsExport>(`/v1/desk${pathOf(reference)}/export`, { body: { purpose, stepUp } })
      saveFile(fileNameOf(reference), 'application/fhir+json', [JSON.stringify(answer.bundle)])
      setTaken(answer)
    } catch (problem) {
      setError(problem)
    } finally {
      setIsBusy(false)
    }
  }
  return (
    <Sheet
      title={t('export.title', { name })}
      onClose={props.onClose}
      actions={
        taken === undefined ? (
          <>
            <Button look="primary" icon="download" isBusy={isBusy} onClick={() => void take()}>
              {t('export.save')}
            </Button>
            <Button onClick={props.onClose}>{t('common.cancel')}</Button>
          </>
        ) : (
          <Button onClick={props.onClose}>{t('common.close')}</Button>
        )
      }
    >
      {error === undefined ? null : (
        <Trouble
          error={error}
          says={{ 'records/not-yours': t('export.not-yours'), 'records/too-large': t('export.too-large') }}
        />
      )}
      {taken === undefined ? (
        <Asking name={name} purpose={purpose} isMissing={isTried && purpose === undefined} onChoose={setPurpose} />
      ) : (
        <Taken taken={taken} />
      )}
    </Sheet>
  )
}

function Asking(props: {
  readonly name: string
  readonly purpose: Purpose | undefined
  readonly isMissing: boolean
  readonly onChoose: (purpose: Purpose) => void
}): ReactNode {
  const { t } = useWords()
  const { name } = props
  return (
    <>
      <Choices legend={t('export.why')}>
        {PURPOSES.map((each) => (
          <Tick
            key={each}
            kind="radio"
            name="purpose"
            label={t(`export.why-${each}`, { name })}
            detail={t(`export.why-${each}-text`)}
            checked={props.purpose === each}
            onChange={() => props.onChoose(each)}
          />
        ))}
      </Choices>
      {props.isMissing ? <p role="alert">{t('export.why-missing')}</p> : null}
      <p>{t('export.recorded', { name })}</p>
      <p>{t('export.onward')}</p>
    </>
  )
}

function Taken({ taken }: { readonly taken: RecordsExport }): ReactNode {
  const { t, tn } = useWords()
  const { own, received, withheld, unreadable, elsewhere } = taken
  return (
    <Banner tone="live" title={t('export.done')}>
      <ul>
        <li>{tn('export.own', own)}</li>
        {received === 0 ? null : <li>{tn('export.received', received)}</li>}
        {withheld.length === 0 ? null : <li>{tn('export.withheld', withheld.length)}</li>}
        {unreadable === 0 ? null : <li>{tn('export.unreadable', unreadable)}</li>}
        {elsewhere.length === 0 ? null : <li>{t('export.elsewhere')}</li>}
      </ul>
    </Banner>
  )
}

/** A number of a patient may hold signs that no file system takes. */
function fileNameOf(reference: string): string {
  const safe = reference.replaceAll(/[^A-Za-z0-9_.-]+/g, '-').slice(0, 60)
  return `records-${safe}-${new Date().toISOString().slice(0, 10)}.fhir.json`
}
