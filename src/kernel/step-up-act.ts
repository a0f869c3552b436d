/** What asks for a fresh proof of who is there; a route names its act, and `people/step-up-commands.ts` holds to it. */
export const STEP_UP_ACTS = [
  'consent.grant',
  'policy.save',
  'passkey.add',
  'account.close',
  'emergency.open',
  'staff.change',
  'staff.confirm',
  // Her own ways to sign in, on her own id.
  'recovery.make',
  'authenticator.replace',
  'sso.link',
  // Taking data out: on what the route's own row says.
  'export.read',
] as const
export type StepUpAct = (typeof STEP_UP_ACTS)[number]
