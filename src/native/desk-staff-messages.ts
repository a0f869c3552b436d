import { z } from 'zod'
import { toldName } from '../http/shown-words.ts'
import { parseId } from '../kernel/id.ts'
import { LIMITS } from '../kernel/limits.ts'
import { STAFF_ROLES } from '../kernel/staff-role.ts'
import { parseLogin } from '../people/staff.ts'
import { assertion, passkeyNew } from './me-sign-in-messages.ts'

/** What people of the staff send when they sign in, join and are administered. */

/** Longer than any password may be, so that the rule about length answers, and short enough to hash. */
const password = z
  .string()
  .min(1)
  .max(2 * LIMITS.passwordCharsMax)
const code = z.string().min(6).max(10)
const uuid = <Kind extends string>() =>
  z.string().transform((text, ctx) => {
    const id = parseId<Kind>(text)
    if (id === undefined) {
      ctx.addIssue({ code: 'custom', message: 'must be a UUID' })
      return z.NEVER
    }
    return id
  })
const login = z.string().transform((text, ctx) => {
  const parsed = parseLogin(text)
  if (parsed === undefined) {
    ctx.addIssue({ code: 'custom', message: 'must have 3 to 40 letters, digits, dots, dashes or underscores' })
    return z.NEVER
  }
  return parsed
})
const role = z.enum(STAFF_ROLES)
const registration = z.string().trim().min(1).max(60)

/** `POST /v1/desk/sign-in`. Any login may be tried: whether there is one, or could be, shows in no answer. */
export const passwordInput = z.object({ login: z.string().min(1).max(100), password }).meta({ id: 'StaffPassword' })
const ticket = z.string().min(1).max(100)
/** A code from paper, with or without its dashes. */
const recovery = z.string().min(1).max(40)
/** `POST /v1/desk/sign-in/code` */
export const codeInput = z
  .union([z.object({ ticket, code }), z.object({ ticket, recovery })], 'must hold a code or a recovery code')
  .meta({ id: 'StaffCode' })
/** `POST /v1/desk/step-up/:id` */
export const deskStepUpProof = z
  .union(
    [z.object({ code }), z.object({ recovery }), z.object({ assertion })],
    'must hold a code, a recovery code or an assertion',
  )
  .meta({ id: 'DeskStepUpProof' })
/** `POST /v1/desk/me/authenticator/code` */
export const authenticatorCode = z.object({ code }).meta({ id: 'AuthenticatorCode' })
/** `POST /v1/desk/invitations/:code/password` */
export const invitedPassword = z.object({ password }).meta({ id: 'InvitedPassword' })
/** `POST /v1/desk/invitations/:code` */
export const joinInput = z
  .union([z.object({ password, code }), passkeyNew], 'must hold a password and a code, or a passkey')
  .meta({ id: 'StaffJoining' })
/** `POST /v1/desk/me/password` */
export const passwordChange = z.object({ password, newPassword: password }).meta({ id: 'StaffPasswordChange' })

const newStaff = {
  login,
  name: toldName(LIMITS.personInTextCharsMax).min(2),
  role,
  registration: registration.optional(),
}
/** `POST /v1/staff`, by an operator: how the first administrator comes in. */
export const staffAdmission = z.object(newStaff).meta({ id: 'StaffAdmission' })
const stepUp = uuid<'step-up'>()
/** `POST /v1/desk/me/passkeys/options` */
export const deskPasskeyOptions = z.object({ stepUp }).meta({ id: 'DeskPasskeyOptions' })
/** `GET /v1/desk/staff`, `GET /v1/staff`. */
export const staffQuery = z.object({
  search: z.string().trim().max(120).default(''),
  after: uuid<'staff'>().optional(),
  limit: z.coerce.number().int().min(1).max(LIMITS.pageSizeMax).default(LIMITS.pageSizeDefault),
})

/** `POST /v1/desk/staff`; the step-up is for the login. */
export const staffInvitation = z.object({ ...newStaff, stepUp }).meta({ id: 'StaffInvitation' })
/** `POST /v1/desk/staff/:id/role` */
export const roleChange = z.object({ role, registration: registration.optional(), stepUp }).meta({ id: 'StaffRole' })
/** `POST /v1/desk/staff/:id/status`: suspended or back, or gone for good. */
export const statusChange = z
  .object({ status: z.enum(['active', 'suspended', 'left']), stepUp })
  .meta({ id: 'StaffStatus' })
/** What needs nothing but a proof anew: of which act on what, the route says. */
export const provedInput = z.object({ stepUp }).meta({ id: 'StaffProved' })
