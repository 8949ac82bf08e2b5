import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { LIMIT } from '#proxy/relay/messages.ts'
import { Budget } from '#proxy/relay/worker/budget.ts'
import { Chooser } from '#proxy/relay/worker/chooser.ts'
import { TcpListener } from '#proxy/relay/worker/tcp/tcp-listener.ts'
import { freePort } from '../../../../support/local-ports.ts'
import { everything, Loopback, portIn } from '../../loopback.ts'

// A listener that closes while clients wait that the kernel has let in, and its worker has not: it was busy.

async function listening(endpoint: string): Promise<{ readonly listener: TcpListener; readonly port: number }> {
  const ip = endpoint.split(':')[0]!
  const descriptors = new Int32Array(new SharedArrayBuffer(12))
  descriptors[LIMIT] = 1000
  const port = await freePort()
  const listener = await TcpListener.open({
    binding: { protocol: 'tcp', family: 'ipv4', host: '127.0.0.1', port },
    chooser: new Chooser({
      pool: { endpoints: [{ ip, port: portIn(endpoint), text: endpoint }] },
      turn: () => 0,
      now: () => performance.now(),
      share: () => {},
    }),
    budget: new Budget({ index: 0, shared: { turns: descriptors, pulses: descriptors, descriptors } }),
    udpIdleMs: 1000,
    unreachable: () => {},
  })
  return { listener, port }
}

/** Resolves when the kernel knows of the connection, and before this thread looks at its sockets. */
async function connecting(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  await new Promise(resolve => process.nextTick(resolve))
  return socket
}

test('answers those, and lets no client in any more', async () => {
  const loopback = new Loopback()
  try {
    const { listener, port } = await listening(await loopback.namedEndpoint('a'))
    const clients: Socket[] = []
    for (let i = 0; i < 50; i++) clients.push(await connecting(port))
    const closed = listener.close()
    const answers = await Promise.all(clients.map(everything))
    expect(new Set(answers.map(String))).toEqual(new Set(['a']))
    for (const client of clients) client.end()
    await closed
    await expect(loopback.whoAnswers(port, '127.0.0.1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  } finally {
    await loopback.close()
  }
})
