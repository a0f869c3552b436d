import type { StaffRole } from '../../kernel/staff-role.ts'
import { DOCTORS, type DoctorName } from './doctors.ts'
import type { Holder } from './person.ts'

/** An invented person of the staff of a sample facility. The login is the same at every start; the password is drawn by the facility. */
export type SampleStaffSeed = {
  readonly login: string
  readonly name: string
  readonly role: StaffRole
  readonly registration?: string
}

const person = (name: string, role: StaffRole): SampleStaffSeed => ({ login: loginOf(name), name, role })

/** A professional whom the sample records name too. */
function professional(key: DoctorName, role: StaffRole): SampleStaffSeed {
  const { name, registrationNumber } = DOCTORS[key]
  return { ...person(name, role), registration: registrationNumber }
}

/** `Dr. Madhav Joshi` → `madhav.joshi` */
function loginOf(name: string): string {
  return name
    .replace(/^Dr\. /, '')
    .toLowerCase()
    .replaceAll(' ', '.')
}

/** Who works where: each role that such a facility has. */
export const SAMPLE_STAFF: Readonly<Record<Holder, readonly SampleStaffSeed[]>> = {
  tarangini: [
    person('Sunita Pawar', 'front-desk'),
    professional('joshi', 'doctor'),
    professional('pathan', 'doctor'),
    person('Anjali Thomas', 'nurse'),
    person('Imran Qureshi', 'lab'),
    person('Lata Kelkar', 'pharmacy'),
    person('Harish Bhatt', 'billing'),
    person('Kavita Deshmukh', 'records-officer'),
    person('Farida Engineer', 'dpo'),
    person('Prakash Kulkarni', 'administrator'),
  ],
  vanashree: [
    person('Rekha Gowda', 'front-desk'),
    professional('shetty', 'doctor'),
    professional('iyer', 'doctor'),
    person('Mary Dsouza', 'nurse'),
    person('Naveen Rao', 'lab'),
    person('Shobha Bhat', 'billing'),
    person('Manjunath Naik', 'records-officer'),
    person('Zoya Khan', 'dpo'),
    person('Suresh Murthy', 'administrator'),
  ],
  pratibimb: [
    person('Pooja Sawant', 'front-desk'),
    professional('apte', 'lab'),
    person('Nilesh Patil', 'billing'),
    person('Smita Gore', 'records-officer'),
    person('Ashok Chitnis', 'dpo'),
    person('Vandana Salvi', 'administrator'),
  ],
  aushadhika: [
    professional('more', 'pharmacy'),
    person('Rukmini Jagtap', 'billing'),
    person('Devdatta Phadke', 'dpo'),
    person('Salim Tamboli', 'administrator'),
  ],
  chhatraksha: [
    professional('kamat', 'billing'),
    person('Rohan Mistry', 'billing'),
    person('Nandini Sane', 'records-officer'),
    person('Jerome Pinto', 'dpo'),
    person('Alka Vaidya', 'administrator'),
  ],
}
