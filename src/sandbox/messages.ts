import { z } from 'zod'
import { abhaAddress } from '../abdm/wire.ts'

/** `POST /v1/sandbox/tokens`: whose session is wanted. */
export const tokenInput = z.object({ patient: abhaAddress, actingGuardian: abhaAddress.optional() })
