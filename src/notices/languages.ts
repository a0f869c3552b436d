/** English and the 22 languages of the Eighth Schedule, in one of which a notice must be offered (DPDP s.5(3)), by their own names. */
export const LANGUAGES = {
  en: { name: 'English' },
  as: { name: 'অসমীয়া' },
  bn: { name: 'বাংলা' },
  brx: { name: 'बड़ो' },
  doi: { name: 'डोगरी' },
  gu: { name: 'ગુજરાતી' },
  hi: { name: 'हिन्दी' },
  kn: { name: 'ಕನ್ನಡ' },
  ks: { name: 'کٲشُر', rightToLeft: true },
  kok: { name: 'कोंकणी' },
  mai: { name: 'मैथिली' },
  ml: { name: 'മലയാളം' },
  mni: { name: 'মৈতৈলোন্' },
  mr: { name: 'मराठी' },
  ne: { name: 'नेपाली' },
  or: { name: 'ଓଡ଼ିଆ' },
  pa: { name: 'ਪੰਜਾਬੀ' },
  sa: { name: 'संस्कृतम्' },
  sat: { name: 'ᱥᱟᱱᱛᱟᱲᱤ' },
  sd: { name: 'سنڌي', rightToLeft: true },
  ta: { name: 'தமிழ்' },
  te: { name: 'తెలుగు' },
  ur: { name: 'اردو', rightToLeft: true },
} as const satisfies Readonly<Record<string, { readonly name: string; readonly rightToLeft?: true }>>

export type Language = keyof typeof LANGUAGES

/** Reads a language tag such as `hi` or `hi-IN`; undefined when it is none of {@link LANGUAGES}. */
export function parseLanguage(tag: string): Language | undefined {
  const [code = ''] = tag.trim().toLowerCase().split('-')
  return Object.hasOwn(LANGUAGES, code) ? (code as Language) : undefined
}
