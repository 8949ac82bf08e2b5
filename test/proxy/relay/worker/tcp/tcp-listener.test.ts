import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { everything, Loopback, portIn, portOf, until } from '../../loopback.ts'

// TCP through real workers and real sockets.

describe('TCP through the relay', { timeout: 30_000 }, () => {
  let loopback: Loopback
  beforeEach(() => {
    loopback = new Loopback()
  })
  afterEach(() => loopback.close())

  test('much goes both ways at once, byte for byte', async () => {
    const [there, back] = [randomBytes(40_000_000), randomBytes(30_000_000)]
    const arrived = Promise.withResolvers<Buffer | Error>()
    const endpoint = await loopback.endpoint(socket => {
      void everything(socket).then(arrived.resolve)
      socket.end(back)
    })
    const client = await loopback.client(await loopback.listener('tcp a', `to ${endpoint}`))
    client.end(there)
    expect(digest(await everything(client))).toBe(digest(back))
    expect(digest(await arrived.promise)).toBe(digest(there))
  })

  test('small pieces arrive one by one, as they were sent', async () => {
    const endpoint = await loopback.endpoint(socket => socket.pipe(socket))
    const client = await loopback.client(await loopback.listener('tcp a', `to ${endpoint}`))
    for (let i = 0; i < 200; i++) {
      client.write(`${i}`)
      const [piece] = await once(client, 'data')
      expect(String(piece)).toBe(String(i))
    }
  })

  test('an endpoint that speaks first is heard', async () => {
    const endpoint = await loopback.endpoint(socket => socket.write('220 ready\r\n'))
    const client = await loopback.client(await loopback.listener('tcp a', `to ${endpoint}`))
    expect(String((await once(client, 'data'))[0])).toBe('220 ready\r\n')
  })

  test('each side may end what it says and go on listening', async () => {
    const endpoint = await loopback.endpoint(async socket => {
      socket.end('all I have to say')
      const said = await everything(socket)
      heard.resolve(String(said))
    })
    const heard = Promise.withResolvers<string>()
    const client = await loopback.client(await loopback.listener('tcp a', `to ${endpoint}`))
    expect(String(await everything(client))).toBe('all I have to say')
    client.write('and I ')
    await new Promise(resolve => setTimeout(resolve, 50))
    client.end('go on')
    expect(await heard.promise).toBe('and I go on')
  })

  test('a client that is reset is reset for the endpoint, and the other way round', async () => {
    const seen: string[] = []
    const sockets: Socket[] = []
    const endpoint = await loopback.endpoint(socket => {
      socket.once('data', () => sockets.push(socket))
      socket.on('error', error => seen.push(`endpoint ${(error as NodeJS.ErrnoException).code}`))
    })
    const port = await loopback.listener('tcp a', `to ${endpoint}`)
    const first = await loopback.client(port)
    first.write('hello')
    await until(() => sockets.length === 1)
    first.resetAndDestroy()
    await until(() => seen.length === 1)
    const second = await loopback.client(port)
    second.on('error', error => seen.push(`client ${(error as NodeJS.ErrnoException).code}`)).resume()
    second.write('hello')
    await until(() => sockets.length === 2)
    sockets[1]!.resetAndDestroy()
    await until(() => seen.length === 2)
    expect(seen).toEqual(['endpoint ECONNRESET', 'client ECONNRESET'])
  })

  test('no more is read than the other side takes', async () => {
    const sockets: Socket[] = []
    const endpoint = await loopback.endpoint(socket => sockets.push(socket.pause()))
    const client = await loopback.client(await loopback.listener('tcp a', `to ${endpoint}`))
    const sent = 200_000_000
    client.end(Buffer.alloc(sent))
    await standsStill(() => client.writableLength)
    expect(client.writableLength).toBeGreaterThan(sent / 2)
    let heard = 0
    sockets[0]!.on('data', piece => {
      heard += piece.length
    })
    sockets[0]!.resume()
    await once(sockets[0]!, 'end')
    expect(heard).toBe(sent)
    sockets[0]!.end()
  })

  test('endpoints take turns, whichever worker a client meets', async () => {
    const names = ['a', 'b', 'c']
    const endpoints = await Promise.all(names.map(name => loopback.namedEndpoint(name)))
    const port = await loopback.listener('tcp a', `to ${endpoints.join(' ')}`)
    const answers: string[] = []
    for (let i = 0; i < 60; i++) answers.push(await loopback.whoAnswers(port))
    for (const name of names) expect(answers.filter(answer => answer === name)).toHaveLength(20)
  })

  test('a sticky client finds the same endpoint in every worker', async () => {
    const endpoints = await Promise.all(['a', 'b', 'c'].map(name => loopback.namedEndpoint(name)))
    const port = await loopback.listener('tcp a', `to ${endpoints[1]} sticky 100`)
    expect(await loopback.whoAnswers(port)).toBe('b')
    // `open` resolves when every worker has answered, so what a worker reported before that has been heard by then.
    await loopback.listener('tcp other', `to ${endpoints[0]}`)
    await loopback.listener('tcp a', `to ${endpoints.join(' ')} sticky 100`)
    const answers = await Promise.all(Array.from({ length: 40 }, () => loopback.whoAnswers(port)))
    expect(new Set(answers)).toEqual(new Set(['b']))
  })

  test('a connection outlives a change of its pool and the end of its listener', async () => {
    const endpoint = await loopback.endpoint(socket => socket.pipe(socket))
    const other = await loopback.namedEndpoint('other')
    const port = await loopback.listener('tcp a', `to ${endpoint}`)
    const client = await loopback.client(port)
    const echo = async (text: string): Promise<string> => {
      client.write(text)
      return String((await once(client, 'data'))[0])
    }
    expect(await echo('one')).toBe('one')
    await loopback.listener('tcp a', `to ${other}`)
    expect(await loopback.whoAnswers(port)).toBe('other')
    expect(await echo('two')).toBe('two')
    expect(await loopback.relay.close('ipv4', ['tcp a'])).toHaveLength(1)
    expect(await echo('three')).toBe('three')
    await expect(loopback.whoAnswers(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('a client is reset where no endpoint can be reached, and that is reported', async () => {
    const server = createServer().listen(0, loopback.host)
    await once(server, 'listening')
    const gone = portOf(server)
    await new Promise(resolve => server.close(resolve))
    const port = await loopback.listener('tcp shop/cart', `to ${loopback.host}:${gone}`)
    expect(await loopback.whoAnswers(port)).toBe('reset')
    const said = { what: 'unreachable', name: 'tcp shop/cart', client: '127.0.0.1' }
    await until(() => loopback.events.some(({ what }) => what === 'unreachable'))
    expect(loopback.events).toContainEqual(said)
  })

  test('however connections end, nothing is left of them', async () => {
    const endpoint = await loopback.endpoint(socket => {
      socket.once('data', piece => {
        if (String(piece) === 'hang up') socket.end()
        else if (String(piece) === 'vanish') socket.destroy()
        else if (String(piece) === 'break') socket.resetAndDestroy()
      })
      socket.once('end', () => socket.end())
    })
    const port = await loopback.listener('tcp a', `to ${endpoint}`)
    const endings: ((socket: Socket) => unknown)[] = [
      socket => socket.end(),
      socket => socket.destroy(),
      socket => socket.resetAndDestroy(),
      socket => socket.write('hang up') && socket.once('end', () => socket.end()).resume(),
      socket => socket.write('vanish') && socket.once('end', () => socket.end()).resume(),
      socket => socket.write('break') && socket.resume(),
    ]
    for (let round = 0; round < 20; round++) {
      const clients = await Promise.all(endings.map(() => loopback.client(port)))
      for (const [i, end] of endings.entries()) end(clients[i]!)
      await until(() => clients.every(client => client.closed))
    }
    await until(() => loopback.connected('tcp', port) + loopback.connected('tcp', portIn(endpoint)) === 0)
  })
})

/** Resolves when it has been the same for a while. */
async function standsStill(figure: () => number): Promise<void> {
  for (let same = 0, last = figure(); same < 10; last = figure()) {
    await new Promise(resolve => setTimeout(resolve, 20))
    same = figure() === last ? same + 1 : 0
  }
}

function digest(bytes: Buffer | Error): string {
  return bytes instanceof Error ? bytes.message : createHash('sha256').update(bytes).digest('hex')
}
