// npm run bench:start: how long a whole process takes from its start until its application is ready, and what an installation weighs. Programs that differ in one
// thing run in turn, forwards and backwards, many times. The lower quartile counts, of the time on the clock and of the processor's: of ES modules, the best differs
// by 4 % between measurements. Writes bench/cold-start.json and its figures in docs/performance.md.
// Options: --rounds <n> (default 60; other numbers print only), --report (writes the figures again, from cold-start.json).
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { withColdStarts, type ColdStart, type ColdStarts } from './cold-start-report'
import { installedSize } from './installed-size'

const ROOT = join(__dirname, '..', '..')
const RESULTS = join(ROOT, 'bench', 'cold-start.json')
const DOCUMENT = join(ROOT, 'docs', 'performance.md')
const ROUNDS = 60

/** What any plugin costs: a second file to load, and a registration to wait for. */
const EMPTY = './empty.cjs'
const EMPTY_PLUGIN = "module.exports = require('fastify-plugin')(async () => {}, { name: 'empty', fastify: '5.x' })\n"

/** What is added to Fastify: a package, what it is registered with, and what a route declares. */
const CONTESTANTS: Readonly<Record<string, { readonly name: string, readonly options: string, readonly route: string } | undefined>> = {
  'Fastify alone': undefined,
  'an empty plugin': { name: EMPTY, options: '{}', route: '{}' },
  '@fastify/cors': { name: '@fastify/cors', options: "{ origin: ['https://app.example.com'], credentials: true }", route: '{}' },
  'fastify-cors-policy': {
    name: 'fastify-cors-policy',
    options: "{ policies: { app: { origin: ['https://app.example.com'], credentials: true } } }",
    route: "{ config: { cors: { extends: 'app' } } }"
  }
}
const FORMS = ['CommonJS', 'ESM'] as const
const ROUTES = [0, 10, 1000] as const

/** A program that says which share of a processor it took, and that its last route answers as it has to. */
function program (contestant: string, form: typeof FORMS[number], routes: number): string {
  const added = CONTESTANTS[contestant]
  const load = (name: string, from: string): string => form === 'ESM' ? `import ${name} from '${from}'` : `const ${name} = require('${from}')`
  return `${load('Fastify', 'fastify')}
${added === undefined ? '' : load('cors', added.name)}
async function main () {
  const app = Fastify()
  ${added === undefined ? '' : `await app.register(cors, ${added.options})`}
  for (let index = 0; index < ${routes}; index++) app.get('/' + index, ${added?.route ?? '{}'}, async () => 'ok')
  await app.ready()
  const { user, system } = process.cpuUsage()
  if (process.argv[2] === 'check') {
    const { statusCode, headers } = await app.inject({ url: '/${routes - 1}', headers: { origin: 'https://app.example.com' } })
    console.log(JSON.stringify([statusCode, headers['access-control-allow-origin'] ?? null]))
  } else console.log(JSON.stringify((user + system) / 1000))
  process.exit()
}
main()
`
}

function runAll (folder: string, rounds: number): ColdStart[] {
  const runs = ROUTES.flatMap((routes) => FORMS.flatMap((form) => Object.keys(CONTESTANTS).map((contestant, index) => {
    const file = join(folder, `${index}-${routes}.${form === 'ESM' ? 'mjs' : 'cjs'}`)
    writeFileSync(file, program(contestant, form, routes))
    return { contestant, form, routes, file, milliseconds: [] as number[], processor: [] as number[] }
  })))
  writeFileSync(join(folder, EMPTY), EMPTY_PLUGIN)
  for (const { contestant, routes, file } of runs) {
    const setsHeaders = contestant === '@fastify/cors' || (contestant === 'fastify-cors-policy' && routes > 0)
    const expected = JSON.stringify([routes === 0 ? 404 : 200, setsHeaders ? 'https://app.example.com' : null])
    const found = execute(file, 'check')
    if (found !== expected) throw new Error(`${contestant} with ${routes} routes answers ${found}, not ${expected}`)
  }
  for (let round = 0; round < rounds; round++) {
    for (const { file, milliseconds, processor } of round % 2 === 0 ? runs : runs.toReversed()) {
      const begin = performance.now()
      processor.push(Number(execute(file)))
      milliseconds.push(performance.now() - begin)
    }
  }
  return runs.map(({ file, milliseconds, processor, ...run }) => ({ ...run, milliseconds: lowerQuartile(milliseconds), processor: lowerQuartile(processor) }))
}

function lowerQuartile (values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] as number
}

function execute (file: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout.trim()
}

/** What the package's own files weigh: those that npm packs. */
function packedSize (): number {
  const { status, stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  const [{ unpackedSize }] = JSON.parse(stdout) as [{ unpackedSize: number }]
  return unpackedSize
}

function publish (results: ColdStarts): void {
  writeFileSync(DOCUMENT, withColdStarts(readFileSync(DOCUMENT, 'utf8'), results))
}

const { values } = parseArgs({ options: { rounds: { type: 'string' }, report: { type: 'boolean' } } })
const rounds = Number(values.rounds ?? ROUNDS)
if (values.report === true) {
  publish(JSON.parse(readFileSync(RESULTS, 'utf8')) as ColdStarts)
  process.exit()
}
const folder = mkdtempSync(join(ROOT, 'build', 'cold-start-')) // within the project, so that the programs find its packages
try {
  const runs = runAll(folder, rounds)
  for (const { contestant, form, routes, milliseconds, processor } of runs) {
    const alone = runs.find((run) => run.form === form && run.routes === routes) as typeof runs[number] // the first
    console.log(`${`${routes} routes, ${form}, ${contestant}`.padEnd(44)} ${milliseconds.toFixed(1)} ms (${(milliseconds / alone.milliseconds).toFixed(3)}), of a processor ${processor.toFixed(1)} ms (${(processor / alone.processor).toFixed(3)})`)
  }
  const installed = installedSize(join(ROOT, 'package.json'), packedSize())
  console.log(`installed: ${(installed.total / 1e6).toFixed(2)} MB, without TypeBox ${((installed.total - installed.types) / 1e6).toFixed(2)} MB`)
  if (rounds === ROUNDS) {
    const results: ColdStarts = { date: new Date().toISOString(), node: process.versions.node, rounds, runs, installed }
    writeFileSync(RESULTS, `${JSON.stringify(results, undefined, 1)}\n`)
    publish(results)
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
