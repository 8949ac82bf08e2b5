import { chmod, mkdir, rename, rm, stat } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'

// A server and a path → it listens there, on a unix socket that root alone may connect to.

export interface PlacedSocket {
  /** Whether the path leads here: a folder may be emptied by whatever cleans it. */
  isReachable(): Promise<boolean>
  /** The path is free; a successor's socket stays. To be called while the server listens: so long no successor takes the path. */
  takeAway(): Promise<void>
}

/** Another process accepts connections at this path. */
export class AlreadyServed extends Error {
  override readonly name = 'AlreadyServed'
}

/**
 * A socket that a killed process left behind is replaced. There is no moment without one: the new one is made under another
 * name and takes this one when it has its permissions and can be connected to.
 */
export async function placeSocket(server: Server, path: string): Promise<PlacedSocket> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 })
  if (await isServed(path)) throw new AlreadyServed(`another process serves at ${path}`)
  const ownName = `${path}.${process.pid}`
  await rm(ownName, { force: true })
  await listen(server, ownName)
  try {
    await chmod(ownName, 0o600)
    await rename(ownName, path)
  } catch (error) {
    server.close()
    throw error
  }
  const { ino } = await stat(path)
  const isReachable = async (): Promise<boolean> => (await stat(path).catch(() => undefined))?.ino === ino
  return {
    isReachable,
    async takeAway() {
      if (await isReachable()) await rm(path, { force: true })
    },
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ path, backlog: BACKLOG }, () => {
      server.off('error', reject)
      // EMFILE on accept must not end the process: the next connection may find a free descriptor.
      server.on('error', () => {})
      resolve()
    })
  })
}

/** A node that starts has all its pods come at once. */
const BACKLOG = 1024

/** Whether a process accepts connections there. */
export function isServed(path: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ path })
    const settle = (answer: boolean) => () => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', settle(true))
    // One that has no time to accept has its queue full.
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code === 'EAGAIN')())
  })
}
