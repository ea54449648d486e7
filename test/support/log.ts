// What an application logs, for tests of what is said to developers. Does not import the package, so that a test may choose when that is first imported.

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly reqId?: string
  readonly err?: { readonly message: string }
  readonly cors?: { readonly reason?: string, readonly replaced?: string[], readonly origin?: string, readonly route?: string, readonly policy?: string | null }
}

export interface Log {
  /** For Fastify's option of that name. */
  readonly logger: { level: string, stream: { write: (line: string) => void } }
  readonly lines: readonly LogLine[]
  /** The `msg` of each line. */
  readonly messages: readonly string[]
}

/** Keeps what is logged at a level and above. */
export function logged (level = 'warn'): Log {
  const lines: LogLine[] = []
  const messages: string[] = []
  const write = (text: string): void => {
    const line = JSON.parse(text) as LogLine
    lines.push(line)
    messages.push(line.msg)
  }
  return { logger: { level, stream: { write } }, lines, messages }
}
