import type { ReactNode } from 'react'
import { Banner } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import { useService } from './service.ts'

/** Where codes can be read in a sandbox, which sends no text messages; nothing elsewhere. */
export function SandboxHint(): ReactNode {
  const { t } = useWords()
  if (useService()?.sandbox !== true) return null
  return (
    <Banner tone="calm">
      <p>
        {t('signin.sandbox-code')}{' '}
        <a href="/sandbox/passwords" target="_blank" rel="noreferrer">
          {t('signin.sandbox-link')}
        </a>
      </p>
    </Banner>
  )
}
