import { useMutation } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import type { PurposeCode } from '../../../src/policy/purpose.ts'
import { call, type Problem } from '../../ui/api.ts'
import { Page } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useWords } from '../words.ts'
import { ageOn, type Door, type Opened } from './model.ts'
import { OpenedRecords } from './opened-records.tsx'
import { ReadingDoor } from './reading-door.tsx'

/**
 * The records of one patient: first why, then the records. What is open stays as it was opened: news on the screen would be another view,
 * which nobody asked for.
 */
export function ReadingPage(props: { readonly reference: string }): ReactNode {
  const { t, tn } = useWords()
  const [now] = useState(() => new Date())
  const path = `/v1/desk/patients/${encodeURIComponent(props.reference)}/reading`
  const door = useCall<Door>(path)
  const reading = useMutation<Opened, Problem, PurposeCode>({
    mutationFn: (purpose) => call<Opened>(path, { body: { purpose } }),
  })
  const patient = reading.data?.patient ?? door.data?.patient
  if (patient === undefined)
    return (
      <Page title={t('desk.patients')} back={{ to: '/patients', label: t('desk.patients') }}>
        {door.error === null ? (
          <Waiting>{t('reading.loading')}</Waiting>
        ) : (
          <Trouble error={door.error} onAgain={() => void door.refetch()} />
        )}
      </Page>
    )
  const { name, gender, birthDate } = patient
  return (
    <Page
      title={t('reading.title', { name })}
      above={
        <>
          <bdi>{patient.reference}</bdi> · {tn('reading.years', ageOn(birthDate, now))} · {t(`reading.${gender}`)}
        </>
      }
      back={{ to: `/patients/${encodeURIComponent(patient.reference)}`, label: t('reading.back', { name }) }}
    >
      {reading.error === null ? null : (
        <Trouble error={reading.error} says={{ 'records/not-yours': t('reading.not-yours') }} />
      )}
      {reading.data !== undefined ? (
        <OpenedRecords opened={reading.data} now={now} onOther={() => reading.reset()} />
      ) : door.data === undefined ? null : (
        <ReadingDoor door={door.data} isOpening={reading.isPending} onOpen={(purpose) => reading.mutate(purpose)} />
      )}
    </Page>
  )
}
