// Says whether an agent that was loaded before wraps `writeHead` of the responses: then its source is not Node's own (scripts/test-runtimes.mjs).
const http = require('node:http')
const { execFileSync } = require('node:child_process')

const { NODE_OPTIONS, ...env } = process.env
const original = execFileSync(process.execPath, ['-p', "String(require('node:http').ServerResponse.prototype.writeHead)"], { encoding: 'utf8', env })
const isWrapped = String(http.ServerResponse.prototype.writeHead).trim() !== original.trim()
console.error(isWrapped ? 'writeHead is wrapped' : 'writeHead is that of Node')
