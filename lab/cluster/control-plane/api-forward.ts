import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { namespacePath } from '#lab/network/namespaces.ts'
import { HeldNamespace } from '#system/netlink/namespace.ts'

// Connections to a port of a namespace → the API server on this machine's loopback, byte by byte: nodes reach it there, and the
// machine gets neither an address nor a route for it.

export interface ApiForwardOptions {
  readonly namespace: string
  readonly port: number
  /** On 127.0.0.1; asked for at each connection, since a server that comes back may have another. */
  readonly to: () => number
}

export interface ApiForward {
  close(): Promise<void>
}

export async function forwardApi({ namespace, port, to }: ApiForwardOptions): Promise<ApiForward> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, client => join(client, to(), open))
  const held = HeldNamespace.open(namespacePath(namespace))
  try {
    // The socket is made in this very turn, so it is the namespace's.
    held.inside(() => server.listen(port))
  } finally {
    held.close()
  }
  await once(server, 'listening')
  return {
    close: async () => {
      for (const socket of open) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** The end of one is the end of the other, in either direction; so is a reset. */
function join(client: Socket, port: number, open: Set<Socket>): void {
  const server = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
  for (const [from, into] of [
    [client, server],
    [server, client],
  ] as const) {
    open.add(from)
    from.pipe(into)
    from.on('error', () => into.resetAndDestroy())
    from.on('close', () => {
      open.delete(from)
      into.destroySoon()
    })
  }
}
