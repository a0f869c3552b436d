import { useMutation } from '@tanstack/react-query'
import { type Dispatch, type ReactNode, type SetStateAction, useEffect, useState } from 'react'
import type { HiType } from '../../../src/fhir/hi-type.ts'
import type { PurposeCode } from '../../../src/policy/purpose.ts'
import { call, type Problem } from '../../ui/api.ts'
import { useDates } from '../../ui/dates.ts'
import { Page } from '../../ui/page.tsx'
import { useCall } from '../../ui/query.tsx'
import { Banner, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { EmergencyClock } from '../emergency/emergency-clock.tsx'
import { useMsLeft } from '../emergency/model.ts'
import { useWords } from '../words.ts'
import { ageOn, type Door, type Opened, type Place, type ReadingPage } from './model.ts'
import type { Older } from './older-records.tsx'
import { OpenedRecords } from './opened-records.tsx'
import { openedBy, withPage } from './pages.ts'
import { ReadingDoor } from './reading-door.tsx'

/**
 * The records of one patient: first why, then the records. What is open stays as it was opened: news on the screen would be another view,
 * which nobody asked for. Except in an emergency.
 */
export function ReadingPage(props: { readonly reference: string }): ReactNode {
  const { t, tn } = useWords()
  const dates = useDates()
  const [now] = useState(() => new Date())
  const path = `/v1/desk/patients/${encodeURIComponent(props.reference)}/reading`
  const door = useCall<Door>(path)
  const { opened, overAt, isOpening, error, open, older, close } = useReading(path, door.data, door.dataUpdatedAt)
  const patient = opened?.patient ?? door.data?.patient
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
          <bdi>{patient.reference}</bdi>
          {t('common.between')}
          {tn('reading.years', ageOn(birthDate, now))}
          {t('common.between')}
          {t(`reading.${gender}`)}
        </>
      }
      back={{ to: `/patients/${encodeURIComponent(patient.reference)}`, label: t('reading.back', { name }) }}
    >
      <EmergencyClock patient={patient} />
      {error === null ? null : <Trouble error={error} says={{ 'records/not-yours': t('reading.not-yours') }} />}
      {overAt === undefined ? null : (
        <Banner tone="emergency" icon="lock" isAlert title={t('emergency.over')}>
          <p>{t('emergency.over-text', { time: dates.time(overAt) })}</p>
        </Banner>
      )}
      {opened !== undefined ? (
        <OpenedRecords opened={opened} now={now} older={older} onOther={close} />
      ) : door.data === undefined ? null : (
        <ReadingDoor door={door.data} isOpening={isOpening} onOpen={open} />
      )}
    </Page>
  )
}

type Reading = {
  readonly opened: Opened | undefined
  /** An emergency has ended, and with it what was open: until when others' documents lie here, closed. */
  readonly overAt: string | undefined
  readonly isOpening: boolean
  readonly error: Problem | null
  readonly open: (purpose: PurposeCode) => void
  readonly older: Older
  readonly close: () => void
}

/** What is open, until it is closed by hand or the ground is over; in an emergency what others send is opened as it comes. */
function useReading(path: string, door: Door | undefined, doorAtMs: number): Reading {
  const [opened, setOpened] = useState<Opened>()
  const { mutate, isPending, error, submittedAt } = useMutation<ReadingPage, Problem, PurposeCode>({
    mutationFn: (purpose) => call<ReadingPage>(path, { body: { purpose } }),
    onSuccess: (page) => setOpened(openedBy(page)),
  })
  const older = useOlder(path, opened, setOpened)
  const emergency = opened?.ground === 'emergency' ? opened : undefined
  const isOut = (useMsLeft(emergency?.until) ?? 1) <= 0
  const isEnded = emergency !== undefined && door !== undefined && !isOpenIn(door, emergency)
  const isOver = isOut || isEnded
  const hasMoreCome =
    emergency !== undefined && door !== undefined && !isOver && receivedIn(door) > receivedIn(emergency)
  // A server that was busy, or a broken line, is asked again with the next news; a refusal is an answer.
  const mayOpen = error === null || (isPassing(error) && doorAtMs > submittedAt)
  useEffect(() => {
    if (hasMoreCome && !isPending && mayOpen) mutate('BTG')
  }, [hasMoreCome, isPending, mayOpen, mutate])
  return {
    opened: isOver ? undefined : opened,
    overAt: isOver ? emergency?.until : undefined,
    isOpening: isPending && (opened === undefined || isOver),
    error,
    open: mutate,
    older,
    close: () => setOpened(undefined),
  }
}

const isPassing = ({ status }: Problem): boolean => status === 0 || status === 429 || status >= 502

function useOlder(
  path: string,
  opened: Opened | undefined,
  setOpened: Dispatch<SetStateAction<Opened | undefined>>,
): Older {
  const { mutate, isPending, error } = useMutation<ReadingPage, Problem, { kinds: readonly HiType[]; below: Place }>({
    mutationFn: ({ kinds, below }) => {
      const hiTypes = kinds.length === 0 ? {} : { hiTypes: kinds }
      return call<ReadingPage>(path, { body: { purpose: opened?.purpose, below, ...hiTypes } })
    },
    // What was closed or opened anew meanwhile stays as it is.
    onSuccess: (page, { kinds }) => setOpened((now) => (now === opened && now ? withPage(now, kinds, page) : now)),
  })
  return { open: (kinds, below) => mutate({ kinds, below }), isOpening: isPending, error }
}

/** The same access: one that was opened anew asks for reading anew. */
const isOpenIn = (door: Door, { until }: Opened): boolean =>
  door.ways.some((way) => way.ground === 'emergency' && way.until === until)

const receivedIn = ({ counts }: Pick<Door, 'counts'>): number => counts.reduce((sum, { received }) => sum + received, 0)
