import type { ReactNode } from 'react'
import type { FacilityPatient } from '../../../src/records/patient.ts'
import { Button } from '../../ui/button.tsx'
import { Card, Part } from '../../ui/page.tsx'
import { Banner, State } from '../../ui/state.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { useAct } from '../act.ts'
import { useWords } from '../words.ts'
import { type PatientAnswer, pathOf } from './model.ts'

/** Whether the patient finds our records in her app; linking what is not linked yet. */
export function LinkCard(props: {
  readonly patient: FacilityPatient
  readonly links: PatientAnswer['links']
  readonly mayLink: boolean
}): ReactNode {
  const { patient, links, mayLink } = props
  const { t, tn } = useWords()
  const link = useAct<void>(() => ({ path: `/v1/desk${pathOf(patient.reference)}/link` }))
  const { name } = patient
  const { latest, linked } = links
  const isWaiting = latest?.status === 'waiting' && latest.kind !== 'notify'
  return (
    <Part title={t('patients.link-title')}>
      <Card>
        {patient.abhaAddress === undefined ? (
          <p>{t('patients.link-no-abha')}</p>
        ) : (
          <p>{linked === 0 ? t('patients.linked-none', { name }) : tn('patients.linked', linked, { name })}</p>
        )}
        {isWaiting ? (
          <div>
            <State tone="waiting">{t('patients.linking')}</State>
          </div>
        ) : null}
        {latest?.status === 'failed' ? (
          <Banner tone="stopped" title={t('patients.link-failed', { reason: latest.error ?? '' })} />
        ) : null}
        {link.error === null ? null : <Trouble error={link.error} />}
        {mayLink && patient.abhaAddress !== undefined ? (
          <div>
            <Button icon="share" isBusy={link.isBusy || isWaiting} onClick={() => link.run()}>
              {t('patients.link')}
            </Button>
          </div>
        ) : null}
      </Card>
    </Part>
  )
}
