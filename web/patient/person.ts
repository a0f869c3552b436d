import { usePatientSession } from './session.ts'
import { useActingFor } from './signin/acting.ts'

/** The ABHA address of whom the pages are about: the person who is signed in, or the one for whom they act. */
export function usePerson(): string | undefined {
  const { session } = usePatientSession()
  return useActingFor() ?? session?.patient.abhaAddress
}
