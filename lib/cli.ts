#!/usr/bin/env node
// The command `fastify-cors-policy`: package.json names it as `bin`.
import { run } from './cli/run'

if (require.main === module) run(process.argv.slice(2), process).then((code) => { process.exitCode = code }, () => { process.exitCode = 2 })
