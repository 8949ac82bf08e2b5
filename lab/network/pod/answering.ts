import { createSocket } from 'node:dgram'
import { createServer, isIPv6, type Socket } from 'node:net'
import { eachLine } from '#system/processes/lines.ts'
import type { Answer, ListenerAddress } from './messages.ts'

// An address → a listener that answers every line or datagram with its name, its own address and its peer's.

export interface Listener {
  close(): void
}

export function listen(at: ListenerAddress): Promise<Listener> {
  return at.protocol === 'tcp' ? listenTcp(at) : listenUdp(at)
}

function listenTcp({ address, port, name }: ListenerAddress): Promise<Listener> {
  const clients = new Set<Socket>()
  const server = createServer({ noDelay: true }, socket => {
    clients.add(socket)
    socket.once('close', () => clients.delete(socket))
    // A client may reset its connection.
    socket.on('error', () => {})
    const peer = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    const local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 }
    eachLine(socket, text => {
      socket.write(`${JSON.stringify({ name, peer, local, text } satisfies Answer)}\n`)
    })
  })
  const close = () => {
    server.close()
    for (const client of clients) client.destroy()
  }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port, ipv6Only: isIPv6(address) }, () => resolve({ close }))
  })
}

function listenUdp({ address, port, name }: ListenerAddress): Promise<Listener> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', ipv6Only: isIPv6(address) })
  socket.on('message', (message, peer) => {
    const answer: Answer = {
      name,
      peer: { address: peer.address, port: peer.port },
      local: { address: socket.address().address, port: socket.address().port },
      text: message.toString(),
    }
    // The client may have left in the meantime.
    socket.send(JSON.stringify(answer), peer.port, peer.address, () => {})
  })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', reject).on('error', () => {})
      resolve({ close: () => socket.close() })
    })
  })
}
