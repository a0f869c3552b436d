import { useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'
import { call, setCsrf } from '../../ui/api.ts'
import { usePatientSession } from '../session.ts'
import { stopActing } from './acting.ts'
import { forgetPerson } from './ended.ts'

/** After signing in: nothing that was on the screen of whoever used this page before stays. */
export function useFinishSignIn(): (csrf: string) => Promise<void> {
  const client = useQueryClient()
  const { renew } = usePatientSession()
  return useCallback(
    async (csrf) => {
      setCsrf(csrf)
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
      await renew()
    },
    [client, renew],
  )
}

/** Ends this session, here and at the server. */
export function useSignOut(): () => Promise<void> {
  const client = useQueryClient()
  const { renew } = usePatientSession()
  return useCallback(async () => {
    await call('/v1/session', { method: 'DELETE' })
    forgetPerson()
    stopActing()
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
    await renew()
  }, [client, renew])
}
