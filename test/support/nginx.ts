// A real nginx (Debian's package) in front of a server on this machine, with a configuration of the test.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from './ports'

const PROGRAM = '/usr/sbin/nginx'

/** Whether nginx is installed. CI installs it. */
export const HAS_NGINX = existsSync(PROGRAM)

interface Test { testdir (): string, teardown (close: () => Promise<void>): void }

/** Starts nginx. `server` stands in its `server` block, `http` beside it; `${upstream}` in them is what is in front of. Returns its URL. */
export async function nginx (t: Test, upstream: string, server: string, http = ''): Promise<string> {
  const directory = t.testdir()
  const port = await freePort()
  for (const name of ['body', 'proxy', 'cache', 'other']) mkdirSync(join(directory, name), { recursive: true })
  const temporary = ['fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${directory}/other;`).join(' ')
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  writeFileSync(join(directory, 'nginx.conf'), `daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log; ${user}
events {}
http {
  access_log off; client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; ${temporary}
  proxy_cache_path ${directory}/cache keys_zone=one:1m;
  ${http}
  server {
    listen 127.0.0.1:${port};
    ${server.replaceAll('UPSTREAM', upstream)}
  }
}
`)
  const child = spawn(PROGRAM, ['-p', directory, '-c', join(directory, 'nginx.conf')], { stdio: 'ignore' })
  t.teardown(async () => {
    if (child.exitCode === null) {
      child.kill()
      await once(child, 'close')
    }
  })
  for (let tries = 0; tries < 200 && !await answers(port); tries++) await wait(25)
  return `http://127.0.0.1:${port}`
}

async function answers (port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const isOpen = await new Promise<boolean>((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)))
  socket.destroy()
  return isOpen
}

/** The version, for the report of a test. */
export function nginxVersion (): string {
  return spawnSync(PROGRAM, ['-v'], { encoding: 'utf8' }).stderr.trim()
}
