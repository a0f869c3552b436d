import { type ReactNode, useEffect, useState } from 'react'
import { call } from '../../ui/api.ts'
import { Banner } from '../../ui/state.tsx'
import { useWords } from '../words.ts'
import type { Sample } from './sample-staff.tsx'

type Filled = { readonly name: string; readonly waitSeconds: number } | undefined

/**
 * In a sandbox, fills in the code of an invented person, since nobody has her authenticator app; answers for how many seconds it does not
 * work yet. Undefined for everybody else.
 */
export function useSampleCode(login: string | undefined, onCode: (code: string) => void): Filled {
  const [filled, setFilled] = useState<Filled>()
  useEffect(() => {
    if (login === undefined) return
    let isOver = false
    let again: number | undefined
    const fill = async (): Promise<void> => {
      const samples = await call<readonly Sample[]>('/v1/desk/sample-staff').catch(() => [])
      const found = samples.find((each) => each.login === login)
      if (isOver || found === undefined) return
      const waitMs = new Date(found.codeFrom).getTime() - Date.now()
      setFilled({ name: found.name, waitSeconds: Math.max(0, Math.ceil(waitMs / 1000)) })
      onCode(found.code)
      if (waitMs > 0) again = window.setTimeout(() => void fill(), 1_000)
    }
    void fill()
    return () => {
      isOver = true
      window.clearTimeout(again)
    }
  }, [login, onCode])
  return filled
}

/** Whose code was filled in, and whether it is good already. */
export function SampleCodeWords({ filled }: { readonly filled: Filled }): ReactNode {
  const { t, tn } = useWords()
  if (filled === undefined) return null
  const { name, waitSeconds } = filled
  return (
    <Banner tone="calm">
      <p>{waitSeconds > 0 ? tn('staff.sample-wait', waitSeconds, { name }) : t('staff.sample-code', { name })}</p>
    </Banner>
  )
}
