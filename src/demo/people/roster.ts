import { bornYearsAgo, dayBefore } from './calendar.ts'
import type { DemoPatient } from './person.ts'

type Place = readonly [line: string, district: string, state: string, pincode: string]
type Row = readonly [
  address: string,
  name: string,
  gender: 'M' | 'F' | 'O',
  age: number,
  /** `MM-DD`; for an infant, whose age is 0, the days since birth. */
  birthday: string | number,
  language: string,
  place: keyof typeof PLACES,
  guardian?: string,
]

/** Invented streets in real districts; district, state and PIN code agree. */
const PLACES = {
  kothrud: ['14 Mayur Colony, Kothrud', 'Pune', 'Maharashtra', '411038'],
  camp: ['7 Synagogue Street, Camp', 'Pune', 'Maharashtra', '411001'],
  hadapsar: ['Flat 22, Amrai Park, Hadapsar', 'Pune', 'Maharashtra', '411028'],
  aundh: ['3 Parihar Chowk, Aundh', 'Pune', 'Maharashtra', '411007'],
  jayanagar: ['118 9th Main, Jayanagar 4th Block', 'Bengaluru Urban', 'Karnataka', '560011'],
  malleshwaram: ['45 15th Cross, Malleshwaram', 'Bengaluru Urban', 'Karnataka', '560003'],
  frazer: ['9 Mosque Road, Frazer Town', 'Bengaluru Urban', 'Karnataka', '560005'],
  bylakuppe: ['Camp 3, Bylakuppe', 'Mysuru', 'Karnataka', '571104'],
  ludhiana: ['212 Model Town', 'Ludhiana', 'Punjab', '141002'],
  kolkata: ['31 Lake Terrace, Ballygunge', 'Kolkata', 'West Bengal', '700029'],
  hyderabad: ['5-9 Bagh Lane, Charminar', 'Hyderabad', 'Telangana', '500002'],
  secunderabad: ['77 Picket Colony, Secunderabad', 'Hyderabad', 'Telangana', '500003'],
  ahmedabad: ['6 Sharda Society, Paldi', 'Ahmedabad', 'Gujarat', '380007'],
  kochi: ['Puthenveedu, Kaloor', 'Ernakulam', 'Kerala', '682017'],
  bhubaneswar: ['Plot 88, Saheed Nagar', 'Khordha', 'Odisha', '751007'],
  varanasi: ['B 12/4 Assi', 'Varanasi', 'Uttar Pradesh', '221005'],
  patna: ['Road 3, Kankarbagh', 'Patna', 'Bihar', '800020'],
  guwahati: ['House 19, Zoo Road', 'Kamrup Metropolitan', 'Assam', '781024'],
  coimbatore: ['26 Ponnaiyarajapuram', 'Coimbatore', 'Tamil Nadu', '641001'],
} as const satisfies Record<string, Place>

const ROWS: readonly Row[] = [
  ['asha.rao@sbx', 'Asha Rao', 'F', 52, '06-19', 'mr', 'kothrud'],
  ['imran.shaikh@sbx', 'Imran Shaikh', 'M', 61, '02-03', 'ur', 'camp'],
  ['sunita.deshmukh@sbx', 'Sunita Deshmukh', 'F', 33, '09-27', 'mr', 'hadapsar'],
  ['aarav.deshmukh@sbx', 'Aarav Deshmukh', 'M', 4, '04-11', 'mr', 'hadapsar', 'sunita.deshmukh@sbx'],
  ['ravi.kulkarni@sbx', 'Ravi Kulkarni', 'M', 45, '12-08', 'mr', 'aundh'],
  ['fatima.shaikh@sbx', 'Fatima Shaikh', 'F', 29, '07-15', 'ur', 'camp'],
  ['zoya.shaikh@sbx', 'Zoya Shaikh', 'F', 0, 340, 'ur', 'camp', 'fatima.shaikh@sbx'],
  ['lakshmi.narayanan@sbx', 'Lakshmi Narayanan', 'F', 68, '01-22', 'ta', 'malleshwaram'],
  ['karthik.gowda@sbx', 'Karthik Gowda', 'M', 38, '10-05', 'kn', 'jayanagar'],
  ['meera.gowda@sbx', 'Meera Gowda', 'F', 35, '03-30', 'kn', 'jayanagar'],
  ['anika.gowda@sbx', 'Anika Gowda', 'F', 9, '08-18', 'kn', 'jayanagar', 'meera.gowda@sbx'],
  ['joseph.dsouza@sbx', "Joseph D'Souza", 'M', 57, '11-14', 'kok', 'frazer'],
  ['harpreet.kaur@sbx', 'Harpreet Kaur', 'F', 41, '04-13', 'pa', 'aundh'],
  ['gurdeep.singh@sbx', 'Gurdeep Singh', 'M', 72, '05-25', 'pa', 'ludhiana'],
  ['debasish.chatterjee@sbx', 'Debasish Chatterjee', 'M', 49, '10-21', 'bn', 'kolkata'],
  ['ananya.chatterjee@sbx', 'Ananya Chatterjee', 'F', 12, '02-14', 'bn', 'kolkata', 'debasish.chatterjee@sbx'],
  ['mohammed.ashraf@sbx', 'Mohammed Ashraf', 'M', 33, '06-02', 'ur', 'hyderabad'],
  ['lavanya.reddy@sbx', 'Lavanya Reddy', 'F', 27, '12-30', 'te', 'secunderabad'],
  ['tenzin.dolma@sbx', 'Tenzin Dolma', 'F', 23, '07-06', 'bo', 'bylakuppe'],
  ['rekha.patel@sbx', 'Rekha Patel', 'F', 55, '09-09', 'gu', 'ahmedabad'],
  ['jignesh.patel@sbx', 'Jignesh Patel', 'M', 58, '03-17', 'gu', 'ahmedabad'],
  ['biju.thomas@sbx', 'Biju Thomas', 'M', 44, '08-29', 'ml', 'kochi'],
  ['aleena.thomas@sbx', 'Aleena Thomas', 'F', 6, '12-19', 'ml', 'kochi', 'biju.thomas@sbx'],
  ['priyanka.sahoo@sbx', 'Priyanka Sahoo', 'F', 31, '01-08', 'or', 'bhubaneswar'],
  ['ramesh.yadav@sbx', 'Ramesh Yadav', 'M', 66, '07-28', 'hi', 'varanasi'],
  ['savitri.devi@sbx', 'Savitri Devi', 'F', 78, '11-02', 'hi', 'patna'],
  ['nilofer.irani@sbx', 'Nilofer Irani', 'F', 83, '03-21', 'gu', 'camp'],
  ['rohan.jain@sbx', 'Rohan Jain', 'M', 19, '10-10', 'hi', 'aundh'],
  ['kiran.jadhav@sbx', 'Kiran Jadhav', 'O', 30, '05-01', 'mr', 'hadapsar'],
  ['bhaskar.baruah@sbx', 'Bhaskar Baruah', 'M', 36, '04-15', 'as', 'guwahati'],
  ['selvi.murugan@sbx', 'Selvi Murugan', 'F', 47, '06-11', 'ta', 'coimbatore'],
]

/** The people, in the order in which they are shown; ages are as of `now`. */
export function makePatients(now: Date): DemoPatient[] {
  return ROWS.map(([abhaAddress, name, gender, age, birthday, language, place, guardian], at) => {
    const [line, district, state, pincode] = PLACES[place]
    const birthDate = typeof birthday === 'number' ? dayBefore(now, birthday) : bornYearsAgo(now, age, birthday)
    return {
      abhaAddress,
      abhaNumber: `9100000000${String(at + 1).padStart(4, '0')}`,
      name,
      gender,
      birthDate,
      mobile: `90000000${String(at + 1).padStart(2, '0')}`,
      ...(at % 3 === 0 && { email: `${abhaAddress.split('@', 1)[0]}@mail.example` }),
      address: { line, district, state, pincode },
      language,
      ...(guardian !== undefined && { guardian }),
    }
  })
}
