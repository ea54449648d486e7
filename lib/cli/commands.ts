// The table of commands. A command is one entry here, and a file of its own.
import { audit } from './audit'
import type { Command } from './command'
import { explain } from './explain'
import { migrate } from './migrate'
import { routes } from './routes'
import { verify } from './verify'

/** The commands, in the order of the help. */
export const COMMANDS: Readonly<Record<string, Command>> = { routes, explain, verify, audit, migrate }
