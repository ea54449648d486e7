// npm run bench:regexps: the longest that RegExps of policies take for one origin, of those that are the hardest to match. At most 0.5 ms is promised.
import { originList } from 'fastify-cors-policy'

const ORIGINS = 2000

/** Counted repetitions and alternatives, up to the bound: the last ones are as large as they may be. */
const REGEXPS: readonly RegExp[] = [
  /^https:\/\/[a-z0-9-]{1,63}\.example\.com$/,
  /^https:\/\/.*-[a-z0-9.-]{1,63}\.example\.com$/,
  /^https:\/\/(?:[a-z0-9-]{1,63}\.){1,3}example\.com$/,
  /^https:\/\/(.*)-(.*)-(.*)-(.*)\.example\.com$/,
  /^https:\/\/(?:[a-z.-]+[a-z.-]+)+x$/,
  /^https:\/\/(?:a?){20}[a.-]{0,250}$/,
  /^https:\/\/.*[a-z0-9.-]{1,60}\.com$/,
  new RegExp(`^https://(?:${Array.from({ length: 1500 }, (_, index) => `tenant${index}`).join('|')})\\.example\\.com$`)
]

/** An origin of the greatest length, of these parts. */
function origin (parts: readonly string[]): string {
  let host = ''
  while (host.length < 249) host += parts[Math.floor(Math.random() * parts.length)]
  return `https://${host.slice(0, 249).replace(/[^.]{63}/g, '$&.').slice(0, 249)}.com`
}

const PARTS = [['a'], ['a', '-'], ['a', '-', '.'], ['a', 'b', '-', '-a', '.c'], ['tenant', '1', '4', 'x'], ['-'], ['x', '-example.com']]

console.log('| RegExp | mean | longest |\n|---|---|---|')
for (const regexp of REGEXPS) {
  const list = originList([regexp])
  let total = 0
  let longest = 0
  for (let index = 0; index < ORIGINS; index++) {
    const text = origin(PARTS[index % PARTS.length] as string[])
    let best = Infinity // of five: the garbage collector and other processes are not what is measured
    for (let run = 0; run < 5; run++) {
      const start = performance.now()
      list.has(text)
      best = Math.min(best, performance.now() - start)
      list.has('https://other.example') // the last answer is kept
    }
    total += best
    longest = Math.max(longest, best)
  }
  const shown = String(regexp).length > 60 ? `${String(regexp).slice(0, 50)}…` : String(regexp)
  console.log(`| \`${shown.replaceAll('|', '\\|')}\` | ${(total * 1000 / ORIGINS).toFixed(1)} µs | ${(longest * 1000).toFixed(0)} µs |`)
}
