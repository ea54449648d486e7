#!/usr/bin/env node
// The command `fastify-cors-policy`: the `bin` of package.json, which npm links. cli/run.ts does the work.
import { run } from './cli/run'

if (require.main === module) {
  // The reader closed the pipe, or the disk is full. Node would exit with code 1, which means "blocked" here.
  process.stdout.on('error', () => process.exit(2))
  run(process.argv.slice(2), process).then((code) => { process.exitCode = code })
}
