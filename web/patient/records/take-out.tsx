import { type ReactNode, useState } from 'react'
import { call } from '../../ui/api.ts'
import { Button } from '../../ui/button.tsx'
import type { IconName } from '../../ui/icon.tsx'
import { useStepUp } from '../../ui/step-up.tsx'
import { Trouble } from '../../ui/trouble.tsx'
import { usePerson } from '../person.ts'
import { isTakenOut, noteTakenOut } from './own-copy-store.ts'

/**
 * The button of a file or of paper. Before the first one of a look she proves anew that it is she, and the log keeps it: whoever finds
 * this page open must not carry her records away.
 */
export function TakeOutButton(props: {
  readonly form: 'fhir' | 'print'
  readonly icon: IconName
  readonly look?: 'quiet'
  readonly take: () => void
  readonly children: ReactNode
}): ReactNode {
  const { form, take, children, ...button } = props
  const person = usePerson()
  const prove = useStepUp()
  const [isBusy, setIsBusy] = useState(false)
  const [error, setError] = useState<unknown>()
  const go = async (): Promise<void> => {
    if (person === undefined) return
    setError(undefined)
    setIsBusy(true)
    try {
      if (!isTakenOut(form)) {
        const stepUp = await prove('export.read', person)
        if (stepUp === undefined) return
        await call('/v1/me/records/export', { body: { form, stepUp } })
        noteTakenOut(form)
      }
      take()
    } catch (problem) {
      setError(problem)
    } finally {
      setIsBusy(false)
    }
  }
  return (
    <>
      {error === undefined ? null : <Trouble error={error} />}
      <Button {...button} isBusy={isBusy} onClick={() => void go()}>
        {children}
      </Button>
    </>
  )
}
