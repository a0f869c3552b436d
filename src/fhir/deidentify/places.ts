/** States and union territories of India (Constitution, First Schedule, as of 2026), as addresses write them. */
const STATES: ReadonlyMap<string, string> = new Map(
  [
    'Andhra Pradesh',
    'Arunachal Pradesh',
    'Assam',
    'Bihar',
    'Chhattisgarh',
    'Goa',
    'Gujarat',
    'Haryana',
    'Himachal Pradesh',
    'Jharkhand',
    'Karnataka',
    'Kerala',
    'Madhya Pradesh',
    'Maharashtra',
    'Manipur',
    'Meghalaya',
    'Mizoram',
    'Nagaland',
    'Odisha',
    'Punjab',
    'Rajasthan',
    'Sikkim',
    'Tamil Nadu',
    'Telangana',
    'Tripura',
    'Uttar Pradesh',
    'Uttarakhand',
    'West Bengal',
    'Andaman and Nicobar Islands',
    'Chandigarh',
    'Dadra and Nagar Haveli and Daman and Diu',
    'Delhi',
    'Jammu and Kashmir',
    'Ladakh',
    'Lakshadweep',
    'Puducherry',
  ].map((name) => [name.toLowerCase(), name]),
)

/** The state as it is written here; undefined for any other text, which could be anything. */
export function knownState(text: unknown): string | undefined {
  return typeof text === 'string' ? STATES.get(text.trim().toLowerCase()) : undefined
}

/** A PIN code of India: six digits, the first not 0. */
export function knownPinCode(text: unknown): string | undefined {
  return typeof text === 'string' && /^[1-9]\d{5}$/.test(text) ? text : undefined
}
