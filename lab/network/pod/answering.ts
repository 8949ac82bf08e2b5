import { createSocket } from 'node:dgram'
import { createServer, isIPv6, type Socket } from 'node:net'
import { eachLine } from '#system/processes/lines.ts'
import type { Answer, Door } from './messages.ts'

// A door → a listener that answers every line or datagram with who it is and what it sees.

export interface Listener {
  close(): void
}

export function listen(door: Door): Promise<Listener> {
  return door.protocol === 'tcp' ? listenTcp(door) : listenUdp(door)
}

function listenTcp({ address, port, name }: Door): Promise<Listener> {
  const guests = new Set<Socket>()
  const server = createServer({ noDelay: true }, socket => {
    guests.add(socket)
    socket.once('close', () => guests.delete(socket))
    // A guest that resets its connection is nobody's fault here.
    socket.on('error', () => {})
    const peer = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    const local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 }
    eachLine(socket, text => {
      socket.write(`${JSON.stringify({ name, peer, local, text } satisfies Answer)}\n`)
    })
  })
  const close = () => {
    server.close()
    for (const guest of guests) guest.destroy()
  }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: address, port, ipv6Only: isIPv6(address) }, () => resolve({ close }))
  })
}

function listenUdp({ address, port, name }: Door): Promise<Listener> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', ipv6Only: isIPv6(address) })
  socket.on('message', (message, peer) => {
    const answer: Answer = {
      name,
      peer: { address: peer.address, port: peer.port },
      local: { address: socket.address().address, port: socket.address().port },
      text: message.toString(),
    }
    // A client that has left in the meantime is not our problem.
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
