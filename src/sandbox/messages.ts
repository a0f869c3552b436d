import { z } from 'zod'
import { abhaAddress, abhaNumber, facilityId, words } from '../abdm/wire.ts'

/** What the sandbox's API takes and gives; `amanat sandbox …` and the sample network speak it. */

export const bridgeInput = z
  .object({
    id: facilityId,
    name: words(120).min(1),
    url: z.string().min(1).max(500),
    roles: z
      .array(z.enum(['hip', 'hiu', 'health-locker', 'phr'], 'must be hip, hiu, health-locker or phr'))
      .min(1, 'must name at least one role'),
    /** Words of a facility registry, such as Hospital; left out, they stay as they are. */
    facilityTypes: z.array(words(100).min(1)).max(10).optional(),
  })
  .meta({ id: 'SandboxBridge' })

export const bridgeAnswer = z.object({ clientId: z.string(), clientSecret: z.string() })

export const patientInput = z
  .object({
    abhaAddress,
    abhaNumber,
    name: words(120).min(1),
    gender: z.enum(['M', 'F', 'O', 'D', 'T', 'U']),
    birthDate: z.iso.date(),
    mobile: z.string().regex(/^\d{10}$/, 'must be ten digits'),
    email: z.email().optional(),
    address: z
      .object({
        line: words(),
        district: words(100),
        state: words(100),
        pincode: z.string().regex(/^\d{6}$/, 'must be six digits'),
      })
      .optional(),
    language: z.string().max(10).optional(),
    guardian: abhaAddress.optional(),
  })
  .meta({ id: 'SandboxPatient' })

export const tokenInput = z.object({ patient: abhaAddress, actingGuardian: abhaAddress.optional() })
