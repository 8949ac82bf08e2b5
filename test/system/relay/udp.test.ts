import type { Socket } from 'node:dgram'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connected, Ground, portIn, until } from './loopback.ts'

// UDP through real workers and real sockets.

describe('UDP through the relay', { timeout: 20_000 }, () => {
  let ground: Ground
  beforeEach(() => {
    ground = new Ground({ udpIdleMs: 500 })
  })
  afterEach(() => ground.close())

  const named = (name: string): Promise<string> =>
    ground.udpEndpoint((_, { port, address }, socket) => socket.send(name, port, address))

  test('datagrams of every size go and come whole', async () => {
    const echo = await ground.udpEndpoint((message, { port, address }, socket) => socket.send(message, port, address))
    const port = await ground.listener('udp a', `to ${echo}`)
    const client = await ground.udpSocket()
    for (const size of [0, 1, 512, 4096, 4097, 20_000, 65_507]) {
      const message = Buffer.alloc(size, 'x')
      expect((await ask(client, port, message))?.equals(message)).toBe(true)
    }
  })

  test('clients take turns, and each stays with its endpoint', async () => {
    const endpoints = await Promise.all(['a', 'b'].map(named))
    const port = await ground.listener('udp a', `to ${endpoints.join(' ')}`)
    const clients = await Promise.all([1, 2, 3, 4].map(() => ground.udpSocket()))
    const firsts: string[] = []
    for (const client of clients) firsts.push(String(await ask(client, port)))
    expect(firsts.toSorted()).toEqual(['a', 'a', 'b', 'b'])
    for (const [i, client] of clients.entries()) expect(String(await ask(client, port))).toBe(firsts[i])
  })

  test('a client that has been silent for the idle time is a new one, and nothing is left of the old', async () => {
    const endpoints = await Promise.all(['a', 'b'].map(named))
    const port = await ground.listener('udp a', `to ${endpoints.join(' ')}`)
    const client = await ground.udpSocket()
    expect(String(await ask(client, port))).toBe('a')
    expect(connected('udp', portIn(endpoints[0]!))).toBe(1)
    await until(() => connected('udp', portIn(endpoints[0]!)) === 0)
    expect(String(await ask(client, port))).toBe('b')
  })

  test('traffic in either direction keeps a conversation alive', async () => {
    let talk: (text: string) => void = () => {}
    const endpoint = await ground.udpEndpoint((_, { port, address }, socket) => {
      talk = text => socket.send(text, port, address)
    })
    const port = await ground.listener('udp a', `to ${endpoint}`)
    const client = await ground.udpSocket()
    const heard: string[] = []
    client.on('message', message => heard.push(String(message)))
    client.send('tell me', port, '127.0.0.1')
    for (let i = 0; i < 5; i++) {
      await new Promise(resolve => setTimeout(resolve, 300))
      talk(String(i))
    }
    await until(() => heard.length === 5)
  })

  test('a client whose endpoint is refused finds another with its next datagram', async () => {
    const gone = await ground.udpSocket()
    const where = `127.0.0.1:${gone.address().port}`
    gone.close()
    const there = await named('there')
    const port = await ground.listener('udp a', `to ${where} ${there}`)
    const client = await ground.udpSocket()
    await until(async () => String(await ask(client, port, 'hello', 100)) === 'there')
    for (let i = 0; i < 5; i++) expect(String(await ask(client, port))).toBe('there')
  })

  test('a client goes on with an endpoint that has left the pool as long as that answers', async () => {
    let answers = true
    const leaving = await ground.udpEndpoint((_, { port, address }, socket) => {
      if (answers) socket.send('leaving', port, address)
    })
    const staying = await named('staying')
    const port = await ground.listener('udp a', `to ${leaving}`)
    const client = await ground.udpSocket()
    expect(String(await ask(client, port))).toBe('leaving')
    await ground.listener('udp a', `to ${staying}`)
    expect(String(await ask(client, port))).toBe('leaving')
    const other = await ground.udpSocket()
    expect(String(await ask(other, port))).toBe('staying')
    answers = false
    // It never stops asking, so the conversation is never idle.
    await until(async () => String(await ask(client, port, 'still there?', 50)) === 'staying', 3000)
  })

  test('a sticky client finds its endpoint from every port of its own', async () => {
    const endpoints = await Promise.all(['a', 'b', 'c'].map(named))
    const port = await ground.listener('udp a', `to ${endpoints.join(' ')} sticky 100`)
    const answers = new Set<string>()
    for (let i = 0; i < 10; i++) answers.add(String(await ask(await ground.udpSocket(), port)))
    expect(answers.size).toBe(1)
  })

  test('when a listener closes, its conversations end', async () => {
    const endpoint = await named('a')
    const client = await ground.udpSocket()
    const port = await ground.listener('udp a', `to ${endpoint}`)
    expect(String(await ask(client, port))).toBe('a')
    expect(connected('udp', portIn(endpoint))).toBe(1)
    await ground.relay.close('ipv4', ['udp a'])
    expect(connected('udp', portIn(endpoint))).toBe(0)
  })
})

/** Undefined where no answer comes in time. */
function ask(
  client: Socket,
  port: number,
  message: string | Buffer = 'who?',
  limitMs = 2000,
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
    client.send(message, port, '127.0.0.1')
  })
}
