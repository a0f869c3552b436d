import { type ReactNode, useDeferredValue, useState } from 'react'
import { mayDo } from '../../../src/people/rules.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/fields.tsx'
import { Page } from '../../ui/page.tsx'
import { More } from '../../ui/pages.tsx'
import { Empty, State, type Tone, Waiting } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useStaffSession } from '../session.ts'
import { type DeskKey, useWords } from '../words.ts'
import { ConfirmPart } from './confirm-part.tsx'
import { InviteSheet } from './invite-sheet.tsx'
import { roleKey, type StaffRow, type StaffStatus } from './model.ts'
import { PersonSheet } from './person-sheet.tsx'
import style from './staff.module.css'
import { useStaff } from './use-staff.ts'

const PAGE_ROWS = 50

const STATES: Readonly<Record<StaffStatus, readonly [Tone, DeskKey]>> = {
  invited: ['waiting', 'staff.status-invited'],
  active: ['live', 'staff.status-active'],
  suspended: ['stopped', 'staff.status-suspended'],
  left: ['calm', 'staff.status-left'],
}

const stateOf = ({ status, isConfirmed }: StaffRow): readonly [Tone, DeskKey] =>
  status === 'active' && !isConfirmed ? ['waiting', 'staff.status-unconfirmed'] : STATES[status]

/** Who works here; the administrator invites and changes. */
export function StaffPage(): ReactNode {
  const { t } = useWords()
  const { session } = useStaffSession()
  const [text, setText] = useState('')
  const wanted = useDeferredValue(text.trim())
  const pages = useStaff(wanted, PAGE_ROWS)
  const { data, error, refetch, isFetchNextPageError } = pages
  const latest = data?.pages.at(-1)
  const found = data?.pages.flatMap(({ staff }) => staff)
  const [isInviting, setIsInviting] = useState(false)
  const [changing, setChanging] = useState<string>()
  const mayChange = session !== undefined && session !== null && mayDo(session.staff.role, 'staff.change')
  const person = found?.find(({ id }) => id === changing)
  return (
    <Page
      title={t('staff.title')}
      actions={
        mayChange ? (
          <Button look="primary" icon="add" onClick={() => setIsInviting(true)}>
            {t('staff.invite')}
          </Button>
        ) : undefined
      }
    >
      {error === null || isFetchNextPageError ? null : <Trouble error={error} onAgain={() => void refetch()} />}
      {found === undefined ? (
        error === null && <Waiting>{t('common.loading')}</Waiting>
      ) : found.length === 0 && wanted === '' ? (
        <Empty icon="people" title={t('staff.nobody')}>
          <p>{t('staff.nobody-text')}</p>
        </Empty>
      ) : (
        <>
          <ConfirmPart waiting={latest?.toConfirm ?? []} count={latest?.toConfirmCount ?? 0} />
          <search className={style.form}>
            <TextField
              label={t('staff.search')}
              type="search"
              autoComplete="off"
              maxLength={120}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
          </search>
          {found.length === 0 ? (
            <p role="status">{t('staff.nobody-found')}</p>
          ) : (
            <StaffTable rows={found} {...(mayChange ? { onChange: setChanging } : {})} />
          )}
          <More pages={pages} />
        </>
      )}
      {isInviting ? <InviteSheet onClose={() => setIsInviting(false)} /> : null}
      {person === undefined ? null : (
        <PersonSheet key={person.id} person={person} onClose={() => setChanging(undefined)} />
      )}
    </Page>
  )
}

function StaffTable(props: {
  readonly rows: readonly StaffRow[]
  readonly onChange?: (id: string) => void
}): ReactNode {
  const { t } = useWords()
  const { onChange } = props
  return (
    <table className={style.table} aria-label={t('staff.list')}>
      <thead>
        <tr>
          <th scope="col">{t('staff.name')}</th>
          <th scope="col">{t('staff.role')}</th>
          <th scope="col">{t('staff.status')}</th>
          {onChange === undefined ? null : <th scope="col">{t('staff.change')}</th>}
        </tr>
      </thead>
      <tbody>
        {props.rows.map((row) => (
          <tr key={row.id}>
            <td>
              <bdi>{row.name}</bdi>
              <small>
                <bdi>{row.login}</bdi>
                {row.registration === undefined ? null : (
                  <>
                    {' · '}
                    <bdi>{row.registration}</bdi>
                  </>
                )}
              </small>
            </td>
            <td>{t(roleKey(row.role))}</td>
            <td>
              <State tone={stateOf(row)[0]}>{t(stateOf(row)[1])}</State>
            </td>
            {onChange === undefined ? null : (
              <td>
                {row.status === 'left' ? null : (
                  <Button
                    look="quiet"
                    aria-label={t('staff.change-person', { name: row.name })}
                    onClick={() => onChange(row.id)}
                  >
                    {t('staff.change')}
                  </Button>
                )}
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
