// Style and lint rules (npm run lint): neostandard, which parts of lib/ may know about Fastify, and how long a line of lib/ may be.
import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['dist', 'build', '.tap', 'lib/policy/compiled-schemas.ts', 'lib/origins/tldts.js'] }),
  {
    // The pure parts can be tested and reused without a server only as long as they do not import one, not even its types.
    files: ['lib/policy/**/*.ts', 'lib/http/**/*.ts', 'lib/browser/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { paths: ['fastify', 'fastify-plugin'] }]
    }
  },
  {
    // Long messages and signatures are written over several lines. A comment that is one URL may be longer.
    files: ['lib/**/*.{js,mjs,ts}'],
    rules: {
      '@stylistic/max-len': ['error', { code: 160, ignorePattern: '^\\s*(?://|/?\\*+)\\s*(?:@see )?https?://\\S+$' }]
    }
  }
]
