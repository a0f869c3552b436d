import type { StaffAct, StaffRole } from '../kernel/staff-role.ts'

/**
 * Who of a facility may do what. Each role has its own work and no more: the administrator gives accounts and reads no health data,
 * the data protection officer reads who looked and reviews, without clinical content; nobody has everything.
 *
 * `record.read` opens the door only: `records/` narrows by attending relationship and by type of record. `record.list` is what there
 * is, without content.
 */
const ACTS_OF: Readonly<Record<StaffRole, readonly StaffAct[]>> = {
  'front-desk': ['patient.find', 'patient.register', 'share.receive', 'visit.start', 'link.start', 'consent.see'],
  doctor: [
    'patient.find',
    'visit.start',
    'consent.see',
    'consent.ask',
    'record.list',
    'record.read',
    'record.add',
    'emergency.open',
  ],
  nurse: [
    'patient.find',
    'visit.start',
    'consent.see',
    'consent.ask',
    'record.list',
    'record.read',
    'record.add',
    'emergency.open',
  ],
  lab: [
    'patient.find',
    'visit.start',
    'link.start',
    'consent.see',
    'consent.ask',
    'record.list',
    'record.read',
    'record.add',
  ],
  // A pharmacy's counter is its front desk too.
  pharmacy: [
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
  ],
  billing: [
    'patient.find',
    'patient.register',
    'consent.see',
    'consent.ask',
    'record.list',
    'record.read',
    'record.add',
  ],
  'records-officer': [
    'patient.find',
    'patient.register',
    'link.start',
    'record.list',
    'record.export',
    'consent.see',
    'provider.see',
    'staff.see',
    'staff.confirm',
  ],
  dpo: ['consent.see', 'provider.see', 'access-log.see', 'emergency.review', 'staff.see', 'staff.confirm'],
  administrator: ['staff.see', 'staff.change', 'staff.confirm'],
}

/** Everything that a role may do, in the order of the table. */
export function actsOf(role: StaffRole): readonly StaffAct[] {
  return ACTS_OF[role]
}

/** Whether a role may do this; the desk shows its buttons by the same answer. */
export function mayDo(role: StaffRole, act: StaffAct): boolean {
  return ACTS_OF[role].includes(act)
}
