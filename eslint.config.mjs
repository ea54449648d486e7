// Style and lint rules (npm run lint): neostandard, and how long a line of lib/ may be.
import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['dist', 'build', '.tap', 'lib/policy/compiled-schemas.ts', 'lib/origins/tldts.js', 'lib/inspector/files.ts'] }),
  {
    // Long messages and signatures are written over several lines. A comment that is one URL may be longer.
    files: ['lib/**/*.{js,mjs,ts}'],
    rules: {
      '@stylistic/max-len': ['error', { code: 160, ignorePattern: '^\\s*(?://|/?\\*+)\\s*(?:@see )?https?://\\S+$' }]
    }
  }
]
