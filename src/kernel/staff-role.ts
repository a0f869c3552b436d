/** What the staff of a facility are to it. Who may do what stands in `people/rules.ts`. */
export const STAFF_ROLES = [
  'front-desk',
  'doctor',
  'nurse',
  'lab',
  'pharmacy',
  'billing',
  'records-officer',
  'dpo',
  'administrator',
] as const
export type StaffRole = (typeof STAFF_ROLES)[number]

/** What staff may or may not do; a route of the desk names its act. */
export const STAFF_ACTS = [
  'patient.find',
  'patient.register',
  'share.receive',
  'visit.start',
  'link.start',
  'consent.see',
  'consent.ask',
  'record.list',
  'record.read',
  'record.add',
  'record.export',
  'emergency.open',
  'emergency.review',
  'provider.see',
  'access-log.see',
  'staff.see',
  'staff.change',
  'staff.confirm',
] as const
export type StaffAct = (typeof STAFF_ACTS)[number]
