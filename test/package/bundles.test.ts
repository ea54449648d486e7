// The package in a bundle: an application with every part of it is bundled by esbuild and rollup, as CommonJS and as an ES module, and runs where no node_modules
// are. It tests dist/, so build first (npm test and npm run test:package do). Nothing here uses the network.
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import commonjs from '@rollup/plugin-commonjs'
import json from '@rollup/plugin-json'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { build, type BuildOptions } from 'esbuild'
import { rollup } from 'rollup'
import t from 'tap'
import { installPackage, run } from './installed'

/** The bundles that a bundler wrote, and what it warned of. */
interface Bundled { readonly files: readonly string[], readonly warnings: readonly string[] }

/** What an application needs to be an ES module with CommonJS packages in it: esbuild leaves their `require` of Node's own modules. */
const REQUIRE = "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)"

async function bundleByEsbuild (entry: string, out: string): Promise<Bundled> {
  const options: BuildOptions = { entryPoints: [entry], bundle: true, platform: 'node', logLevel: 'silent' }
  const [asCjs, asEsm] = [join(out, 'esbuild.cjs'), join(out, 'esbuild.mjs')]
  const results = [
    await build({ ...options, outfile: asCjs, format: 'cjs' }),
    await build({ ...options, outfile: asEsm, format: 'esm', banner: { js: REQUIRE } })
  ]
  return { files: [asCjs, asEsm], warnings: results.flatMap(({ warnings }) => warnings.map(({ text, location }) => `${text} ${location?.file}`)) }
}

async function bundleByRollup (entry: string, out: string): Promise<Bundled> {
  const warnings: string[] = []
  const bundle = await rollup({
    input: entry,
    plugins: [nodeResolve({ preferBuiltins: true, exportConditions: ['node'] }), commonjs(), json()],
    onwarn: ({ message }) => warnings.push(message)
  })
  const [asCjs, asEsm] = [join(out, 'rollup.cjs'), join(out, 'rollup.mjs')]
  await bundle.write({ file: asCjs, format: 'cjs', inlineDynamicImports: true })
  await bundle.write({ file: asEsm, format: 'esm', inlineDynamicImports: true })
  await bundle.close()
  return { files: [asCjs, asEsm], warnings }
}

const BUNDLERS = { esbuild: bundleByEsbuild, rollup: bundleByRollup }

t.test('an application with the packed package is bundled, and runs', async (t) => {
  const { directory, consumer } = await installPackage(t, [])
  const entry = join(consumer, 'application.mjs')
  await cp(join(__dirname, 'runtime', 'application.mjs'), entry)
  const facts = JSON.parse(await readFile(join(__dirname, 'runtime', 'facts.json'), 'utf8')) as object
  // Beside the project, not in it: nothing is found there but Node's own modules.
  const out = join(directory, 'out')
  await mkdir(out)
  await writeFile(join(out, 'reach.cjs'), "try { require('fastify'); console.log('within reach') } catch (error) { console.log(error.code) }")
  t.equal((await run(process.execPath, ['reach.cjs'], out)).stdout, 'MODULE_NOT_FOUND\n', 'out of reach of node_modules')

  for (const [bundler, bundle] of Object.entries(BUNDLERS)) {
    t.test(`by ${bundler}`, async (t) => {
      const { files, warnings } = await bundle(entry, out)
      t.strictSame(warnings.filter((warning) => warning.includes('fastify-cors-policy')), [], 'no warning is about the package')
      for (const file of files) {
        const { code, stdout, stderr } = await run(process.execPath, [file], out)
        t.equal(code, 0, `${file} ends well ${stderr}`)
        t.strictSame(stdout === '' ? undefined : JSON.parse(stdout), facts, 'and does what it does without a bundle')
        t.match(await readFile(file, 'utf8'), /\/\*!.*publicsuffix\.org.*Mozilla Public License/s, 'with the licence of the public suffix list')
      }
    })
  }
})
