// The ports of servers on this machine.
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'

/** The port that a server listens on. */
export function portOf (server: Pick<Server, 'address'>): number {
  return (server.address() as AddressInfo).port
}

/** A port that is free at the moment, for a program that has to be told one. */
export async function freePort (): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const port = portOf(probe)
  await new Promise((resolve) => { probe.close(resolve) })
  return port
}
