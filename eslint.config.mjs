// Style and lint rules (npm run lint): neostandard, and which parts of lib/ may know about Fastify.
import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['dist', 'build', '.tap', 'lib/schema/compiled.ts', 'lib/policy/origin/tldts.js'] }),
  {
    // The pure parts can be tested and reused without a server only as long as they do not import one, not even its types.
    files: ['lib/policy/**/*.ts', 'lib/http/**/*.ts', 'lib/browser/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { paths: ['fastify', 'fastify-plugin'] }]
    }
  }
]
