// Writes the rules of the public suffix list to lib/origins/tldts.js (npm run generate), from the data of the tldts that is installed here. tldts itself cannot
// say which suffixes lie below a host, and with its tldts-core it would be half of what users install.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { domainToASCII, fileURLToPath } from 'node:url'

const COPY = new URL('../lib/origins/tldts.js', import.meta.url)
const require = createRequire(import.meta.url)
const TLDTS = dirname(require.resolve('tldts/package.json'))

/** The rules of a trie, as the public suffix list writes them. Each edge is a label, from right to left. */
function rulesOf ({ nodeFlags, edgeStart, edgeLength, edgeChild, labelText }, root) {
  const starts = [0]
  for (const length of edgeLength) starts.push(starts.at(-1) + length)
  const rules = []
  const walk = (node, parent) => {
    for (let edge = edgeStart[node]; edge < edgeStart[node + 1]; edge++) {
      const host = labelText.slice(starts[edge], starts[edge + 1]) + parent
      if (nodeFlags[edgeChild[edge]] !== 0) rules.push(host)
      walk(edgeChild[edge], `.${host}`)
    }
  }
  walk(root, '')
  return rules
}

/** The text of lib/origins/tldts.js. */
export function publicSuffixes () {
  const trie = require(join(TLDTS, 'dist/cjs/src/data/trie.js'))
  const rules = [...rulesOf(trie, trie.rulesRoot), ...rulesOf(trie, trie.exceptionsRoot).map((rule) => `!${rule}`)]
  // Hosts of origins are in punycode.
  const inAscii = rules.map((rule) => rule.replace(/[^*!.].*$/, (host) => domainToASCII(host)))
  const { version } = JSON.parse(readFileSync(join(TLDTS, 'package.json'), 'utf8'))
  return [
    `/*! The rules of tldts ${version} (https://github.com/remusao/tldts). Written by scripts/public-suffixes.mjs; run: npm run generate`,
    ' * They are those of https://publicsuffix.org/list/public_suffix_list.dat, which is subject to the Mozilla Public License 2.0 (https://mozilla.org/MPL/2.0/). */',
    `module.exports = ${JSON.stringify([...new Set(inAscii)].sort().join(' '))}.split(' ')`
  ].join('\n') + '\n'
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = publicSuffixes()
  let present
  try {
    present = readFileSync(COPY, 'utf8')
  } catch {
    // not there yet
  }
  // An unchanged file keeps its modification time, so that it does not look newer than the build.
  if (present !== text) writeFileSync(COPY, text)
}
