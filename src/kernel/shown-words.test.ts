import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { faultOfName, faultOfNameInText, faultOfWords, nameInText } from './shown-words.ts'

/** As people write them: with joiners (Marathi eyelash ra, Bengali ya-phala, Malayalam chillu of the older way, Urdu compounds), marks, dots. */
const NAMES = [
  'Asha Rao',
  'Dr. M. S. Iyer-Nair, O’Neill',
  'Zoë Ångström',
  'आशा राव',
  'क्षत्रिय ज्ञानेश्वर',
  'दर\u094d\u200dया सोमण',
  'शक\u094d\u200cकर',
  'ﺁﺷﺎ',
  'آشا راؤ',
  'محمد\u200cعلی خاں',
  '\u200fنور جہاں',
  'ஆஷா ராவ்',
  'ஸ்ரீநிவாசன்',
  'അവന\u0d4d\u200d',
  'രമേശ\u0d4d\u200d നായര\u0d4d\u200d',
  'র\u200d\u09cdযাব',
  'ಶ್ರೀ\u200cಮತಿ',
  'ᱟᱥᱟ',
  '𑄃𑄥𑄚𑄴',
  '24x7 Clinic',
]
const TURNING = ['\u202a', '\u202b', '\u202c', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069']
const HIDDEN = [
  '\u200b',
  '\u00ad',
  '\u2060',
  '\ufeff',
  '\u3164',
  '\u{e0041}',
  '\u180e',
  '\u2028',
  '\u0000',
  '\u001b',
  '\u009f',
]

test('names are taken as people write them', () => {
  for (const name of NAMES) assert.equal(faultOfName(name), undefined, JSON.stringify(name))
})

test('a name in which something turns, hides or controls is refused wherever it stands', () => {
  const name = fc.constantFrom(...NAMES)
  const bad = fc.constantFrom(...TURNING, ...HIDDEN)
  fc.assert(
    fc.property(name, bad, fc.nat(), (good, mark, at) => {
      const place = at % (good.length + 1)
      // Not within a pair of surrogates: that would be another fault.
      fc.pre(!/[\udc00-\udfff]/.test(good[place] ?? ''))
      assert.notEqual(faultOfName(good.slice(0, place) + mark + good.slice(place)), undefined)
    }),
  )
  for (const mark of TURNING)
    assert.equal(faultOfWords(`City ${mark}latipsoH`), 'must not hold marks that turn the order of what is read')
})

test('joiners stand within words of the scripts that have them, and nowhere else', () => {
  for (const [script, letters] of Object.entries({
    Devanagari: 'अआइकखगरलवशसह',
    Urdu: 'ابپتٹجچحخدرسشعغفقکگلمنوہی',
    Tamil: 'அஆஇகஙசஞடணதநபமயரலவழளறன',
    Malayalam: 'അആഇകഖഗചജടണതനപമയരലവശസഹളഴറ',
  })) {
    const word = fc
      .array(fc.constantFrom(...Array.from(letters)), { minLength: 1, maxLength: 8 })
      .map((each) => each.join(''))
    fc.assert(
      fc.property(word, word, fc.constantFrom('\u200c', '\u200d'), (one, other, joiner) => {
        assert.equal(faultOfName(`${one}${joiner}${other}`), undefined, script)
        for (const odd of [`${joiner}${one}`, `${one} ${joiner}${other}`, `${one}${joiner}${joiner}${other}`, joiner])
          assert.equal(faultOfName(odd), 'must not hold characters that cannot be seen', script)
      }),
    )
  }
  for (const odd of ['Ra\u200dvi', 'Rave\u0301\u200dn', 'Рави\u200d', '24\u200d7'])
    assert.equal(faultOfName(odd), 'must not hold characters that cannot be seen', JSON.stringify(odd))
})

test('a name has a letter or a digit; other words may be empty and have lines', () => {
  for (const blank of ['', ' ', '\u00a0\u3000', '.', '—', '\u200f', '\u0301', '\u200e\u200e'])
    assert.equal(faultOfName(blank), 'must have a letter or a digit', JSON.stringify(blank))
  assert.equal(faultOfName('City\nHospital'), 'must be one line')
  for (const fine of ['', 'first line\r\n\tsecond', 'soft\u00adhyphen', '👩🏽\u200d⚕️'])
    assert.equal(faultOfWords(fine), undefined)
  assert.equal(faultOfWords('bell\u0007'), 'must not hold control characters')
})

test('in a text message a name makes no link and no number to call', () => {
  const fit = [
    ...NAMES,
    'Dr.Farida Khan',
    'dr.farida',
    'M.S.Iyer',
    'Dr.K.S.Rao',
    'A.P.J.Abdul Kalam',
    'Smt.Asha',
    'St.John’s Hospital',
    'डॉ.आशा राव',
    'ڈاکٹر.فریدہ',
    'Ward No.3',
    'Sector 12 Clinic, 2nd floor',
    'City Hospital (24/7)',
  ]
  for (const name of fit) assert.equal(faultOfNameInText(name), undefined, JSON.stringify(name))
  const unfit = [
    'Fine of Rs 500: pay now at http://evil.example/pay or call 9123456789',
    'evil.example',
    'Pay at EVIL.Example now',
    'Dr.evil.example',
    'bit.ly/x',
    'www.evil',
    'Dr.in',
    'T.Co',
    'a.com',
    'evil。com',
    'भुगतान.भारत',
    '10.0.0.1',
    'call 12345',
    'call 9123-456-789',
    'call 98 76 54 32 10',
    'कॉल ९८७६५४३२१०',
  ]
  for (const name of unfit) assert.notEqual(faultOfNameInText(name), undefined, name)
  assert.equal(nameInText('A'.repeat(61), 60), undefined)
  assert.equal(nameInText('A'.repeat(60), 60), 'A'.repeat(60))
})
