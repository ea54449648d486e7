#!/usr/bin/env node
// The command `fastify-cors-policy`: package.json names it as `bin`.
import { run } from './cli/run'

if (require.main === module) {
  // Whoever reads the output has seen enough, or the disk is full. Without this, Node would end with 1: blocked.
  process.stdout.on('error', () => process.exit(2))
  run(process.argv.slice(2), process).then((code) => { process.exitCode = code })
}
