// Tells which labels that begin with "xn--" are the punycode of an international name. Decodes them itself, as the URL parsers of different Node
// versions accept different labels. Used by pattern.ts.

/** The parameters of RFC 3492, section 5. */
const BASE = 36
const MIN = 1
const MAX = 26
const SKEW = 38
const DAMP = 700
const FIRST_BIAS = 72
const FIRST_CODE_POINT = 128
const MAX_CODE_POINT = 0x10ffff

/**
 * Characters that no international name has (https://www.unicode.org/reports/tr46/#Validity_Criteria): control characters, surrogates, private-use
 * and non-characters, white space, and format characters except the two joiners.
 */
const DISALLOWED = /[\p{Cc}\p{Cs}\p{Co}\p{Z}\p{Noncharacter_Code_Point}]|(?![\u200c\u200d])\p{Cf}|^\p{M}/u

/** Whether browsers serialise a name as this label, which begins with `xn--`. */
export function isPunycode (label: string): boolean {
  const name = decode(label.slice('xn--'.length))
  if (name === undefined || !NOT_ASCII.test(name) || DISALLOWED.test(name)) return false
  return name.normalize('NFKC') === name && name.toLowerCase() === name
}

// eslint-disable-next-line no-control-regex -- control characters are a part of ASCII
const NOT_ASCII = /[^\u0000-\u007f]/

/** Decodes what follows `xn--` (RFC 3492, section 6.2). undefined for invalid punycode. */
function decode (text: string): string | undefined {
  const delimiter = text.lastIndexOf('-')
  const codePoints = [...text.slice(0, Math.max(0, delimiter))].map((character) => character.charCodeAt(0))
  let codePoint = FIRST_CODE_POINT
  let bias = FIRST_BIAS
  let i = 0
  for (let at = delimiter + 1; at < text.length;) {
    const before = i
    let weight = 1
    for (let k = BASE; ; k += BASE) {
      const digit = digitAt(text, at++)
      if (digit === undefined) return undefined
      i += digit * weight
      const threshold = Math.min(MAX, Math.max(MIN, k - bias))
      if (digit < threshold) break
      weight *= BASE - threshold
    }
    const length = codePoints.length + 1
    bias = adapt(i - before, length, before === 0)
    codePoint += Math.floor(i / length)
    if (codePoint > MAX_CODE_POINT) return undefined
    i %= length
    codePoints.splice(i++, 0, codePoint)
  }
  return String.fromCodePoint(...codePoints)
}

/** The value of the digit at this position. undefined if there is none. */
function digitAt (text: string, at: number): number | undefined {
  const digit = 'abcdefghijklmnopqrstuvwxyz0123456789'.indexOf(text.charAt(at))
  return at < text.length && digit !== -1 ? digit : undefined
}

/** Adapts the bias (RFC 3492, section 6.1). */
function adapt (delta: number, length: number, isFirst: boolean): number {
  let rest = isFirst ? Math.floor(delta / DAMP) : delta >> 1
  rest += Math.floor(rest / length)
  let k = 0
  for (; rest > ((BASE - MIN) * MAX) >> 1; k += BASE) rest = Math.floor(rest / (BASE - MIN))
  return k + Math.floor((BASE - MIN + 1) * rest / (rest + SKEW))
}
