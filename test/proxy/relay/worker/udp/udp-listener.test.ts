import type { Socket } from 'node:dgram'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Loopback, portIn, until } from '../../loopback.ts'

// UDP through real workers and real sockets.

describe('UDP through the relay', { timeout: 20_000 }, () => {
  let loopback: Loopback
  beforeEach(() => {
    // No client is idle for so long here; udp-idle.test.ts is about those that are.
    loopback = new Loopback({ udpIdleMs: 600_000 })
  })
  afterEach(() => loopback.close())

  const named = (name: string): Promise<string> =>
    loopback.udpEndpoint((_, { port, address }, socket) => socket.send(name, port, address))

  test('datagrams of every size go and come whole', async () => {
    const echo = await loopback.udpEndpoint((message, { port, address }, socket) => socket.send(message, port, address))
    const port = await loopback.listener('udp a', `to ${echo}`)
    const client = await loopback.udpSocket()
    for (const size of [0, 1, 512, 4096, 4097, 20_000, 65_507]) {
      const message = Buffer.alloc(size, 'x')
      expect((await ask(client, port, message))?.equals(message)).toBe(true)
    }
  })

  test('clients take turns, and each stays with its endpoint', async () => {
    const endpoints = await Promise.all(['a', 'b'].map(named))
    const port = await loopback.listener('udp a', `to ${endpoints.join(' ')}`)
    const clients = await Promise.all([1, 2, 3, 4].map(() => loopback.udpSocket()))
    const firsts: string[] = []
    for (const client of clients) firsts.push(String(await ask(client, port)))
    expect(firsts.toSorted()).toEqual(['a', 'a', 'b', 'b'])
    for (const [i, client] of clients.entries()) expect(String(await ask(client, port))).toBe(firsts[i])
  })

  test('a client whose endpoint is refused finds another with its next datagram', async () => {
    const gone = await loopback.udpSocket()
    const where = `127.0.0.1:${gone.address().port}`
    gone.close()
    const there = await named('there')
    const port = await loopback.listener('udp a', `to ${where} ${there}`)
    const client = await loopback.udpSocket()
    await until(async () => String(await ask(client, port, 'hello', 100)) === 'there')
    for (let i = 0; i < 5; i++) expect(String(await ask(client, port))).toBe('there')
  })

  test('a sticky client finds its endpoint from every port of its own', async () => {
    const endpoints = await Promise.all(['a', 'b', 'c'].map(named))
    const port = await loopback.listener('udp a', `to ${endpoints.join(' ')} sticky 100`)
    const answers = new Set<string>()
    for (let i = 0; i < 10; i++) answers.add(String(await ask(await loopback.udpSocket(), port)))
    expect(answers.size).toBe(1)
  })

  test('when a listener closes, its conversations end', async () => {
    const endpoint = await named('a')
    const client = await loopback.udpSocket()
    const port = await loopback.listener('udp a', `to ${endpoint}`)
    expect(String(await ask(client, port))).toBe('a')
    expect(loopback.connected('udp', portIn(endpoint))).toBe(1)
    await loopback.relay.close('ipv4', ['udp a'])
    expect(loopback.connected('udp', portIn(endpoint))).toBe(0)
  })
})

/** Undefined where no answer comes in time. */
function ask(
  client: Socket,
  port: number,
  message: string | Buffer = 'who?',
  limitMs = 10_000,
): Promise<Buffer | undefined> {
  return new Promise(resolve => {
    const hear = (answer: Buffer): void => {
      clearTimeout(late)
      resolve(answer)
    }
    const late = setTimeout(() => {
      client.off('message', hear)
      resolve(undefined)
    }, limitMs)
    client.once('message', hear)
    client.send(message, port, client.address().address)
  })
}
