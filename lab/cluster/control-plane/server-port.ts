import { once } from 'node:events'
import { createServer } from 'node:net'

// A port for a server that may be started again on it: below those that the kernel gives to connections, which clients of a
// server that is away open again and again, one of them at last from its very port.

const [FIRST, COUNT] = [20_000, 10_000]
const TRIES = 50

/** Free at this moment. */
export async function serverPort(host: string, random: () => number = Math.random): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = FIRST + Math.floor(random() * COUNT)
    if (await isFree(host, port)) return port
  }
  throw new Error(`no port from ${FIRST} to ${FIRST + COUNT - 1} of ${host} is free`)
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen({ host, port }), 'listening')
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
    throw error
  } finally {
    await new Promise(resolve => server.close(resolve))
  }
}
