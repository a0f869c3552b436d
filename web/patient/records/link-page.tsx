import { type ReactNode, useState } from 'react'
import type { Hospital } from '../../../src/native/me-linking-routes.ts'
import { Page } from '../../ui/page.tsx'
import { useWords } from '../words.ts'
import { AskHospital } from './link-ask.tsx'
import { LinkConversation } from './link-conversation.tsx'
import { HospitalList } from './link-hospitals.tsx'

type Step =
  | { readonly at: 'which' }
  | { readonly at: 'ask'; readonly hospital: Hospital }
  | { readonly at: 'talk'; readonly hospital: Hospital; readonly linking: string }

/** Linking a hospital, one question at a time: which, may we ask it, what of it, its code. */
export function LinkPage(): ReactNode {
  const { t } = useWords()
  const [step, setStep] = useState<Step>({ at: 'which' })
  const back = { to: '/records', label: t('records.link-back') }
  switch (step.at) {
    case 'which':
      return (
        <Page title={t('records.link-which')} above={t('records.link-title')} back={back}>
          <HospitalList onChoose={(hospital) => setStep({ at: 'ask', hospital })} />
        </Page>
      )
    case 'ask':
      return (
        <Page
          title={t('records.link-ask-title', { name: step.hospital.name })}
          above={t('records.link-title')}
          back={back}
        >
          <AskHospital
            hospital={step.hospital}
            onAsked={(linking) => setStep({ at: 'talk', hospital: step.hospital, linking })}
            onOther={() => setStep({ at: 'which' })}
          />
        </Page>
      )
    case 'talk':
      return (
        <LinkConversation
          key={step.linking}
          name={step.hospital.name}
          linking={step.linking}
          back={back}
          onAgain={() => setStep({ at: 'ask', hospital: step.hospital })}
        />
      )
  }
}
