// The command `migrate`: prints the registrations that take the place of those of @fastify/cors, and every answer that changes with them.
import { changesBetween } from '../devtools/migrate-changes'
import type { PageAnswer } from '../devtools/migrate-answers'
import type { BeforeMigration } from '../devtools/migrate'
import type { Migration } from '../devtools/migrate-types'
import { readOrigins } from './audit'
import { withApplication } from './child-process'
import type { Command } from './command'
import { migrationText } from './migrate-text'
import { readHeaders } from './options'

export const migrate: Command = {
  usage: ['migrate <app> [--origin <origin>] [options]'],
  summary: 'turns each registration of @fastify/cors into policies, and lists the answers that change; no handler runs',
  options: ['origin', 'header'],
  async run ({ positionals: [file, ...rest], values, timeout }, output) {
    if (file === undefined) throw new Error('the application is missing; write migrate app.js')
    if (rest.length > 0) throw new Error('migrate takes the application alone; write migrate app.js --origin https://app.example.com')
    const origins = readOrigins(values.origin)
    const headers = Object.entries(readHeaders(values.header)).flatMap(([name, texts]) => texts.map((text): [string, string] => [name.toLowerCase(), text]))
    const { questions, answers, ...before } = await withApplication(file, timeout, async (application) =>
      await application.ask({ name: 'beforeMigration', origins, headers }) as BeforeMigration, { record: true })
    const after = await withApplication(file, timeout, async (application) =>
      await application.ask({ name: 'afterMigration', questions }) as PageAnswer[], { record: true, migrate: { origins } })
    const migration: Migration = { ...before, changes: changesBetween(questions, answers, after), compared: questions.length }
    output.answer(migration, () => migrationText(migration, output))
    const isOpen = [...migration.registrations, ...migration.routes].some(({ toWrite }) => toWrite.length > 0)
    return isOpen || migration.changes.some(({ kind }) => kind !== 'status') ? 1 : 0
  }
}
