// What the matcher says of a RegExp is what the RegExp itself says: over generated expressions, a corpus of such as people write, and
// over origins at random, origins that match, and those that nearly do.
import { fail } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { ORIGIN_CHARACTERS } from '../../lib/origins/serialised'
import { UnsupportedSyntax, type Expression } from '../../lib/origins/regexp-expression'
import { templatesOf, sampleOf } from '../../lib/origins/regexp-templates'
import { compileRegExp, type OriginRegExp } from '../../lib/origins/regexp-matcher'

/** Fixed, so that every run is the same: some seeds have a RegExp on which V8 backtracks for minutes. */
const SEED = Number(process.env.FUZZ_SEED ?? 1)

function compiled (regexp: RegExp): OriginRegExp | undefined {
  try {
    return compileRegExp(regexp)
  } catch (error) {
    if (!(error instanceof UnsupportedSyntax)) throw error
    return undefined
  }
}

/** Everything that the syntax of RegExps has for one character, or none. */
const ATOMS = [
  ...'abz09-_/:+[]'.replace(/[[\]+]/g, '\\$&'), 'A', 'K', 'S', '\\.', '.', 'https', '\\/\\/', 'example', '\\.com',
  '\\d', '\\D', '\\w', '\\W', '\\s', '\\S', '\\b', '\\B', '^', '$',
  '\\x61', '\\x2e', '\\u0061', '\\u{61}', '\\u{1f600}', '\\u212a', '\\u017f', '\\u0130', '\\u0131', '\u212a', '\u017f', 'İ', '😀', '\\cA', '\\cz', '\\c', '\\0', '\\00', '\\141', '\\56', '\\8', '\\e', '\\-', '\\k', '\\a', '\\p', '\\P', '\\t', '\\n', '\\v', '\\f', '\\r',
  '\\p{L}', '\\p{Lu}', '\\P{Lu}', '\\p{Ll}', '\\P{Ll}', '\\p{ASCII}', '\\P{ASCII}', '\\p{Script=Latin}', '\\p{Hex_Digit}', '\\p{Any}', '\\p{L', 'p{L}', '{', '}', ']', 'a{', 'a{1', '{,2}',
  '[abc]', '[^abc]', '[a-z0-9-]', '[a-z0-9_.-]', '[^./:]', '[]', '[^]', '[\\w.-]', '[^\\W\\d]', '[\\s\\S]', '[A-Z]', '[^A-Z]', '[A-z]', '[+-9]', '[.-:]', '[\\u212a]', '[\\u017f-\\u0180]', '[^\\u212a]', '[\\b]', '[\\x61-\\x66]', '[\\u{61}-\\u{66}]', '[\\cA-\\cZ]', '[\\c]', '[\\c_]', '[\\c1]', '[\\1]', '[\\141]', '[\\8]', '[\\k]', '[\\p{L}]', '[^\\p{Lu}]', '[\\P{Lu}]',
  '[\\d-x]', '[\\w-.]', '[a-\\d]', '[[a]]', '[[a-z]--[aeiou]]', '[[a-z]&&[aeiou]]', '[\\w--\\d]', '[^[a-z]--[q]]', '[\\p{L}&&\\p{ASCII}]', '[\\p{Lowercase}--[k]]', '[^\\P{Lu}]', '[&&]', '[a&&b]', '[[^a]b]', '[🙂a]'
]

const quantifier = fc.constantFrom('', '', '', '', '?', '*', '+', '??', '*?', '+?', '{0}', '{1}', '{2}', '{0,1}', '{1,}', '{2,3}', '{0,2}?', '{1,63}', '{3,1000}', '{0,400}', '{5,}?')

const source: fc.Arbitrary<string> = fc.letrec<{ choice: string, sequence: string, part: string, atom: string }>((tie) => ({
  choice: fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map((alternatives) => alternatives.join('|')),
  sequence: fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')),
  part: fc.tuple(tie('atom'), quantifier).map((parts) => parts.join('')),
  atom: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom(...ATOMS),
    fc.tuple(fc.constantFrom('(', '(?:', '(?:', '(?<name>'), tie('choice')).map(([open, inner]) => `${open}${inner})`)
  )
})).choice

const flags = fc.subarray(['i', 's', 'd'], { minLength: 0 }).chain((some) => fc.constantFrom('', 'u', 'v').map((mode) => some.join('') + mode))

/** V8 of Node 20 is wrong about some negated classes with this flag: there `/^[^]*$/v` does not match `a`, nor `/^(?:(?:[^\u212a]a)+|)$/v` `aa`. */
function isMisreadByV8 ({ source, flags }: RegExp): boolean {
  return flags.includes('v') && source.includes('[^')
}

const regexp = fc.tuple(source, flags, fc.boolean()).map(([source, flags, whole]) => {
  try {
    return new RegExp(whole ? `^(?:${source})$` : source, flags)
  } catch {
    return undefined
  }
}).filter((regexp): regexp is RegExp => regexp !== undefined && !isMisreadByV8(regexp))

const label = fc.constantFrom('a', 'b', 'z', 'example', 'com', 'k', 's', 'evil', '0', '9', '61', '-', '_', 'https', 'x')
const origin = fc.tuple(fc.constantFrom('https', 'http', 'a', 'capacitor'), fc.array(label, { minLength: 1, maxLength: 4 }), fc.constantFrom('', ':1', ':8080', ':90')).map(([scheme, labels, port]) => `${scheme}://${labels.join('.')}${port}`)
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom(...ORIGIN_CHARACTERS), maxLength: 12 }),
  fc.array(fc.constantFrom('a', 'b', 'z', '0', '9', '.', ':', '/', 'https', '//', 'example', '.com', '-', '_', '[', ']', '+', 'k', 's', 'p', 'e'), { maxLength: 6 }).map((parts) => parts.join('')),
  origin
)

/** Texts that this RegExp probably matches, each with what it takes to miss by one character. */
function nearTexts ({ expression }: OriginRegExp): string[] {
  const samples = (templatesOf(expression) ?? []).slice(0, 8).flatMap((form) => ['', 'a', '0', 'k', 'example.com', 'aaa'].map((word) => sampleOf(form, word)))
  return [...new Set(samples)].filter((sample) => sample.length <= 60).flatMap((sample) => [sample, sample.slice(1), sample.slice(0, -1), `${sample}a`, `.${sample}`, sample + sample])
}

/** Whether V8, which backtracks, may take exponential time: something is repeated inside a repetition, or in more than one way. */
function backtracks (expression: Expression, repeated = false): boolean {
  switch (expression.kind) {
    case 'choice': return repeated || expression.alternatives.some((alternative) => backtracks(alternative, repeated))
    case 'sequence': return expression.parts.some((part) => backtracks(part, repeated))
    case 'repeat': return expression.max > 1 ? repeated || backtracks(expression.part, true) : repeated || backtracks(expression.part, repeated)
    default: return false
  }
}

t.test('the matcher and JavaScript agree about RegExps of every syntax', async (t) => {
  const seen = { compiled: 0, refused: 0, matched: 0, missed: 0 }
  fc.assert(fc.property(regexp, fc.array(text, { minLength: 5, maxLength: 10 }), (regexp, texts) => {
    const translated = compiled(regexp)
    seen[translated === undefined ? 'refused' : 'compiled']++
    if (translated === undefined) return
    const longest = backtracks(translated.expression) ? 7 : 60
    for (const candidate of [...texts, '', ...nearTexts(translated)].filter(({ length }) => length <= longest)) {
      const expected = regexp.test(candidate)
      seen[expected ? 'matched' : 'missed']++
      if (translated.matches(candidate) !== expected) fail(`${String(regexp)} ${expected ? 'matches' : 'does not match'} ${candidate}`)
    }
  }), { numRuns: 3000, seed: SEED, includeErrorInReport: true })
  t.comment(JSON.stringify(seen))
  t.ok(seen.compiled > 2000 && seen.matched > 20_000 && seen.missed > 15_000, JSON.stringify(seen))
})

t.test('the matcher and JavaScript agree about each atom, with each set of flags, on each character of origins', async (t) => {
  let compared = 0
  for (const atom of ATOMS) {
    for (const flags of ['', 'i', 's', 'is', 'u', 'iu', 'isu', 'v', 'iv', 'isv']) {
      let regexp: RegExp
      try {
        regexp = new RegExp(`^(?:${atom})$`, flags)
      } catch {
        continue
      }
      if (isMisreadByV8(regexp)) continue
      const { matches } = compiled(regexp) ?? fail(`${String(regexp)} was refused`)
      const wrong = [...ORIGIN_CHARACTERS, '', 'https', '//', 'example', '.com', 'pl', 'll', 'a1'].filter((text) => matches(text) !== regexp.test(text))
      if (wrong.length > 0) t.fail(`${String(regexp)} on ${wrong.join(' ')}`)
      compared++
    }
  }
  t.ok(compared > 800, `${compared} RegExps`)
})
