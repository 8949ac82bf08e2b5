import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { type ProbeResult, type RealPacket, sendProbe } from '#system/probe.ts'
import { freePort, HAS_IPV6 } from '../support/local-ports.ts'
import { ip } from '../support/objects.ts'

// Real packets on the loopback device, on a clock that the test moves.

/** Of the paper clock: the kernel, or the other end in this thread, may take some turns. */
const HOUR_MS = 3_600_000

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

async function probed(
  packet: Partial<RealPacket> & { readonly port: number },
): Promise<ProbeResult & { tookMs: number }> {
  const clock = new PaperClock()
  const probe = { protocol: 'tcp', to: ip('127.0.0.1'), withinMs: HOUR_MS, ...packet } as const
  let result: (ProbeResult & { tookMs: number }) | undefined
  let failure: unknown
  const sent = sendProbe(probe, clock, async found => {
    result = { ...found, tookMs: clock.now() }
  }).catch((error: unknown) => {
    failure = error
  })
  // The kernel needs a moment of its own; a clock that stands still would be looked at for ever.
  while (result === undefined && failure === undefined) await clock.advance(10)
  await sent
  if (result === undefined) throw failure
  return result
}

function tcpServer(host: string): Promise<{ port: number; clients: number[] }> {
  const clients: number[] = []
  const server = createServer(socket => {
    clients.push(socket.remotePort!)
    socket.on('error', () => {}).end()
  })
  ends.push(() => server.close())
  return new Promise(resolve =>
    server.listen({ host, port: 0 }, () => resolve({ port: (server.address() as { port: number }).port, clients })),
  )
}

function udpServer(answer: 'answers' | 'is silent'): Promise<{ port: number; heard: Promise<number> }> {
  const socket = createSocket('udp4')
  ends.push(() => socket.close())
  const heard = new Promise<number>(resolve => {
    socket.on('message', (bytes, { port, address }) => {
      resolve(bytes.length)
      if (answer === 'answers') socket.send('here', port, address)
    })
  })
  return new Promise(resolve => socket.bind(0, '127.0.0.1', () => resolve({ port: socket.address().port, heard })))
}

describe('a connection', () => {
  test('is answered by a listener, which sees the port that is reported', async () => {
    const { port, clients } = await tcpServer('127.0.0.1')
    const { outcome, sourcePort } = await probed({ port, from: ip('127.0.0.9') })
    expect(outcome).toBe('answered')
    await expect.poll(() => clients).toEqual([sourcePort])
  })

  test.runIf(HAS_IPV6)('of IPv6, too', async () => {
    const { port } = await tcpServer('::1')
    expect((await probed({ port, to: ip('::1') })).outcome).toBe('answered')
  })

  test('is refused where there is no listener', async () => {
    expect((await probed({ port: await freePort() })).outcome).toBe('refused')
  })

  test('is open while it is looked at', async () => {
    const { port } = await tcpServer('127.0.0.1')
    const clock = new PaperClock()
    let seen: string | undefined
    const sent = sendProbe(
      { protocol: 'tcp', to: ip('127.0.0.1'), port, withinMs: HOUR_MS },
      clock,
      async ({ sourcePort }) => {
        const { readFileSync } = await import('node:fs')
        const hex = sourcePort.toString(16).toUpperCase().padStart(4, '0')
        seen = readFileSync('/proc/net/tcp', 'utf8')
          .split('\n')
          .find(line => line.includes(`0100007F:${hex} `))
        return 'looked'
      },
    )
    while (seen === undefined) await clock.advance(10)
    expect(await sent).toBe('looked')
  })
})

describe('a datagram', () => {
  test('is empty, and answered by any other', async () => {
    const { port, heard } = await udpServer('answers')
    expect((await probed({ protocol: 'udp', port })).outcome).toBe('answered')
    expect(await heard).toBe(0)
  })

  test('is refused where no program listens', async () => {
    expect((await probed({ protocol: 'udp', port: await freePort() })).outcome).toBe('refused')
  })

  test('that no program answers is silence, for as long as it was waited', async () => {
    const { port } = await udpServer('is silent')
    expect(await probed({ protocol: 'udp', port, withinMs: 250 })).toMatchObject({ outcome: 'silence', tookMs: 250 })
  })
})

test('a packet from an address that is not there is refused in words', async () => {
  await expect(probed({ port: 80, from: ip('192.0.2.77') })).rejects.toThrow(
    '192.0.2.77 is no address that a packet can be sent from there',
  )
})

test('a namespace that is not there is refused', async () => {
  await expect(probed({ port: 80, namespace: '/run/netns/never-was' })).rejects.toMatchObject({ code: 'ENOENT' })
})
