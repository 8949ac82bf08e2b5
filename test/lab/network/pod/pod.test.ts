import { createServer, type Server, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Dial, Reply, Request, Transport } from '#lab/network/pod/messages.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import { freePort } from '../../../support/local-ports.ts'

// The program itself, on loopback: no namespace is needed to prove what it says and hears.

const PROGRAM = fileURLToPath(new URL('../../../../lab/network/pod/pod.ts', import.meta.url))

let child: Child
const waiting = new Map<number, (reply: Reply) => void>()
let asked = 0

beforeAll(() => {
  child = startChild({
    argv: [process.execPath, PROGRAM],
    onLine: line => {
      const reply = JSON.parse(line) as Reply
      waiting.get(reply.id)?.(reply)
    },
  })
})
afterAll(() => child.stop())

function ask(request: Request): Promise<Reply> {
  const id = ++asked
  child.writeLine(JSON.stringify({ id, request }))
  return new Promise(resolve => waiting.set(id, resolve))
}

const opened = (id: number) => ({ id, outcomes: [] })

/** A TCP server that accepts and says nothing. */
function silent(): Promise<{ server: Server; port: number }> {
  return served(() => {})
}

async function served(accept: (socket: Socket) => void): Promise<{ server: Server; port: number }> {
  const server = createServer(accept)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return { server, port: typeof address === 'object' ? address!.port : 0 }
}

function dial(protocol: Transport, port: number, more: Partial<Dial> = {}): Dial {
  return { protocol, to: '127.0.0.1', port, timeoutMs: 5000, ...more }
}

for (const protocol of ['tcp', 'udp'] as const) {
  for (const address of ['127.0.0.1', '::1']) {
    test(`${protocol} to ${address}: a listener says who it is and whom it sees`, async () => {
      const port = await freePort()
      await ask({ do: 'listen', handle: port, listener: { protocol, address, port, name: 'signal-box' } })
      const reply = await ask({ do: 'connect', dial: dial(protocol, port, { to: address }), times: 2 })
      const answer = {
        name: 'signal-box',
        peer: { address, port: expect.any(Number) },
        local: { address, port },
        text: 'who are you?',
      }
      const outcome = { ok: true, answer, elapsedMs: expect.any(Number) }
      expect(reply).toMatchObject({ outcomes: [outcome, outcome] })
      await ask({ do: 'close', handle: port })
    })
  }

  test(`${protocol}: a closed port is an outcome, not a wait`, async () => {
    const closed = dial(protocol, await freePort(), { timeoutMs: 600_000 })
    const reply = await ask({ do: 'connect', dial: closed, times: 1 })
    expect(reply).toMatchObject({ outcomes: [{ ok: false, error: 'refused' }] })
  })

  test(`${protocol}: a client that chooses its port can use it again at once`, async () => {
    const port = await freePort()
    const sourcePort = await freePort()
    await ask({ do: 'listen', handle: port, listener: { protocol, address: '127.0.0.1', port, name: 'a' } })
    const reply = await ask({ do: 'connect', dial: dial(protocol, port, { sourcePort }), times: 3 })
    const outcome = { ok: true, answer: { peer: { address: '127.0.0.1', port: sourcePort } } }
    expect(reply).toMatchObject({ outcomes: [outcome, outcome, outcome] })
  })

  test(`${protocol}: an address that is not of this host is the asker's mistake`, async () => {
    const reply = await ask({ do: 'connect', dial: dial(protocol, 1, { from: '192.0.2.1' }), times: 1 })
    expect(reply).toMatchObject({ problem: expect.stringContaining('EADDRNOTAVAIL 192.0.2.1') })
  })

  test(`${protocol}: a port that is taken is a mistake in the request, and its listener keeps it`, async () => {
    const port = await freePort()
    const address = { protocol, address: '127.0.0.1', port }
    await ask({ do: 'listen', handle: 1_000_001, listener: { ...address, name: 'first' } })
    expect(await ask({ do: 'listen', handle: 1_000_002, listener: { ...address, name: 'second' } })).toMatchObject({
      problem: expect.stringContaining('EADDRINUSE'),
    })
    expect(await ask({ do: 'connect', dial: dial(protocol, port), times: 1 })).toMatchObject({
      outcomes: [{ ok: true, answer: { name: 'first' } }],
    })
    await ask({ do: 'close', handle: 1_000_001 })
  })

  test(`${protocol}: a conversation keeps its connection until it is closed`, async () => {
    const port = await freePort()
    const handle = port + 100_000
    await ask({ do: 'listen', handle: port, listener: { protocol, address: '127.0.0.1', port, name: 'a' } })
    expect(await ask({ do: 'open', handle, dial: dial(protocol, port) })).toEqual(opened(asked))
    const first = await ask({ do: 'ask', handle, text: 'one', timeoutMs: 5000 })
    const second = await ask({ do: 'ask', handle, text: 'two', timeoutMs: 5000 })
    expect([first, second]).toMatchObject([
      { outcomes: [{ ok: true, answer: { text: 'one' } }] },
      { outcomes: [{ ok: true, answer: { text: 'two' } }] },
    ])
    expect(peerPort(second)).toBe(peerPort(first))
    await ask({ do: 'close', handle: port })
    const error = protocol === 'tcp' ? /closed|reset/ : /refused/
    expect(await ask({ do: 'ask', handle, text: 'three', timeoutMs: 5000 })).toMatchObject({
      outcomes: [{ ok: false, error: expect.stringMatching(error) }],
    })
    await ask({ do: 'close', handle })
    expect(await ask({ do: 'ask', handle, text: 'four', timeoutMs: 10 })).toMatchObject({
      problem: `no conversation has the handle ${handle}`,
    })
  })
}

test('a server that accepts and stays silent is a timeout', async () => {
  const { server, port } = await silent()
  const reply = await ask({ do: 'connect', dial: dial('tcp', port, { timeoutMs: 60 }), times: 1 })
  expect(reply).toMatchObject({ outcomes: [{ ok: false, error: 'timeout' }] })
  server.close()
})

test('an answer that comes too late is not taken for the next one', async () => {
  const { server: slow, port } = await served(socket => {
    const say = (name: string, text: string) => socket.write(`${JSON.stringify({ name, peer: {}, local: {}, text })}\n`)
    let said = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (!said.includes('2 same\n')) return
      say('late', '1 same')
      say('right', '2 same')
    })
  })
  await ask({ do: 'open', handle: 7, dial: dial('tcp', port) })
  expect(await ask({ do: 'ask', handle: 7, text: 'same', timeoutMs: 20 })).toMatchObject({
    outcomes: [{ ok: false, error: 'timeout' }],
  })
  expect(await ask({ do: 'ask', handle: 7, text: 'same', timeoutMs: 600_000 })).toMatchObject({
    outcomes: [{ ok: true, answer: { name: 'right' } }],
  })
  await ask({ do: 'close', handle: 7 })
  slow.close()
})

test('the program ends with its stdin', async () => {
  const other = startChild({
    argv: [
      'sh',
      '-c',
      'echo \'{"id":1,"request":{"do":"close","handle":1}}\' | exec "$0" "$1"',
      process.execPath,
      PROGRAM,
    ],
    onLine: () => {},
  })
  expect(await other.ended).toEqual({ code: 0, stderr: '' })
})

function peerPort(reply: Reply): number | undefined {
  const outcome = 'outcomes' in reply ? reply.outcomes[0] : undefined
  return outcome?.ok === true ? outcome.answer.peer.port : undefined
}

test('a line that greets a client is not taken for the answer behind it', async () => {
  const { server, port } = await served(socket => {
    const answer = { name: 'web-1', text: '1 who are you?' }
    socket.once('data', () => socket.write(`web-1\n${JSON.stringify(answer)}\n`))
  })
  const reply = await ask({ do: 'connect', dial: dial('tcp', port), times: 1 })
  expect(reply).toMatchObject({ outcomes: [{ ok: true, answer: { name: 'web-1', text: 'who are you?' } }] })
  server.close()
})
