import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { LIMIT, type Pool, type PoolEndpoint, USED } from '#proxy/relay/messages.ts'
import { Budget } from '#proxy/relay/worker/budget.ts'
import { Chooser } from '#proxy/relay/worker/chooser.ts'
import { UdpListener } from '#proxy/relay/worker/udp/udp-listener.ts'
import { freePort } from '../../../../support/local-ports.ts'

// A UDP listener with real sockets and a clock that the test moves: for how long a conversation lasts.

const IDLE_MS = 250

describe('a conversation of UDP', () => {
  let sockets: Socket[] = []
  let listener: UdpListener
  let chooser: Chooser
  let descriptors: Int32Array<SharedArrayBuffer>
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    sockets = []
  })
  afterEach(() => {
    listener.close()
    for (const socket of sockets) socket.close()
    vi.useRealTimers()
  })

  async function socket(): Promise<Socket> {
    const made = createSocket('udp4')
    sockets.push(made)
    await once(made.bind(0, '127.0.0.1'), 'listening')
    return made
  }

  /** Says its name to every client. */
  async function endpoint(name: string): Promise<PoolEndpoint & { readonly socket: Socket }> {
    const made = await socket()
    const { port } = made.address()
    made.on('message', (_, from) => made.send(name, from.port, from.address))
    return { ip: '127.0.0.1', port, text: `127.0.0.1:${port}`, socket: made }
  }

  /** Returns a client that asks it. */
  async function open(
    endpoints: readonly PoolEndpoint[],
  ): Promise<{ ask(): Promise<string>; readonly socket: Socket }> {
    let turn = 0
    chooser = new Chooser({
      pool: poolOf(endpoints),
      turn: () => turn++,
      now: () => performance.now(),
      share: () => {},
    })
    descriptors = new Int32Array(new SharedArrayBuffer(12))
    descriptors[LIMIT] = 100
    const port = await freePort()
    listener = await UdpListener.open({
      binding: { protocol: 'udp', family: 'ipv4', host: '127.0.0.1', port },
      chooser,
      budget: new Budget({ index: 0, shared: { turns: descriptors, pulses: descriptors, descriptors } }),
      udpIdleMs: IDLE_MS,
      unreachable: () => {},
    })
    const client = await socket()
    const ask = async (): Promise<string> => {
      client.send('who?', port, '127.0.0.1')
      return String((await once(client, 'message'))[0])
    }
    return { ask, socket: client }
  }

  const conversations = (): number => descriptors[USED]!

  test('lasts while the client speaks, and is over when it has been silent for the idle time', async () => {
    const { ask } = await open([await endpoint('a'), await endpoint('b')])
    expect(await ask()).toBe('a')
    for (let i = 0; i < 5; i++) {
      vi.advanceTimersByTime(IDLE_MS - 1)
      expect(await ask()).toBe('a')
    }
    expect(conversations()).toBe(1)
    vi.advanceTimersByTime(IDLE_MS)
    expect(conversations()).toBe(0)
    expect(await ask()).toBe('b')
  })

  test('lasts while the endpoint speaks', async () => {
    const a = await endpoint('a')
    const { ask, socket: client } = await open([a, await endpoint('b')])
    const asked = once(a.socket, 'message')
    await ask()
    const [, from] = (await asked) as [Buffer, { port: number; address: string }]
    for (let i = 0; i < 5; i++) {
      vi.advanceTimersByTime(IDLE_MS - 1)
      a.socket.send(`more ${i}`, from.port, from.address)
      expect(String((await once(client, 'message'))[0])).toBe(`more ${i}`)
    }
    expect(await ask()).toBe('a')
    expect(conversations()).toBe(1)
  })

  test('goes on with an endpoint that has left the pool as long as that answers', async () => {
    const [leaving, staying] = [await endpoint('leaving'), await endpoint('staying')]
    const { ask } = await open([leaving])
    expect(await ask()).toBe('leaving')
    chooser.update(poolOf([staying]))
    vi.advanceTimersByTime(IDLE_MS - 1)
    expect(await ask()).toBe('leaving')
    // It falls silent; the client never does, so the conversation is never idle.
    leaving.socket.removeAllListeners('message')
    const heard = once(leaving.socket, 'message')
    vi.advanceTimersByTime(IDLE_MS - 1)
    void ask()
    await heard
    vi.advanceTimersByTime(2)
    expect(await ask()).toBe('staying')
    expect(conversations()).toBe(1)
  })
})

function poolOf(endpoints: readonly PoolEndpoint[]): Pool {
  return { endpoints }
}
