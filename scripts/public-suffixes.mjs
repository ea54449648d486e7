// Copies the public suffix list into lib/origins/tldts.js (npm run suffixes): the one file of tldts that the package needs, of the version that is installed
// here, with its licence. As a dependency, tldts and its tldts-core would be half of what users install, as they hold the same code in eight forms.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const COPY = new URL('../lib/origins/tldts.js', import.meta.url)
const TLDTS = dirname(createRequire(import.meta.url).resolve('tldts/package.json'))

/** The text of lib/origins/tldts.js. */
export function publicSuffixes () {
  const read = (file) => readFileSync(join(TLDTS, file), 'utf8')
  const notice = [
    `dist/index.cjs.min.js of tldts ${JSON.parse(read('package.json')).version} (https://github.com/remusao/tldts). Written by scripts/public-suffixes.mjs; run: npm run suffixes`,
    'Its data are those of https://publicsuffix.org/list/public_suffix_list.dat, which is subject to the Mozilla Public License 2.0 (https://mozilla.org/MPL/2.0/).',
    '',
    ...read('LICENSE').trim().split('\n').map((line) => line.trim())
  ]
  // The source map is not copied.
  const code = read('dist/index.cjs.min.js').replace(/\/\/# sourceMappingURL=.*\s*$/, '')
  return `/*!\n${notice.map((line) => ` * ${line}`.trimEnd()).join('\n')}\n */\n${code}`
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
