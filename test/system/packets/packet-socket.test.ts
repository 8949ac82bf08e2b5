import { describe, expect, test } from 'vitest'
import { type Libc, libc } from '#system/netlink/libc.ts'
import type { Networks } from '#system/network/network.ts'
import { PacketsRefused } from '#system/packets/packet-link.ts'
import { packetLinks } from '#system/packets/packet-socket.ts'

// What the kernel is asked for, and what becomes of what it answers, with a libc that only keeps account. Frames on the wire are
// for the real kernel.

const [EPERM, EAGAIN] = [1, 11]

interface Refusals {
  readonly socket?: number
  readonly bind?: number
  readonly send?: number
}

function machine(refuses: Refusals = {}) {
  const calls: string[] = []
  const frames: Buffer[] = []
  let errno = 0
  const answer = (call: keyof Refusals, done: number): number => {
    errno = refuses[call] ?? 0
    return errno === 0 ? done : -1
  }
  const c: Libc = {
    ...libc()!,
    socket: (...words) => {
      calls.push(`socket ${words.join(' ')}`)
      return answer('socket', 77)
    },
    setsockopt: (...[fd, level, option, value]) => {
      calls.push(`set ${fd} ${level} ${option} ${Buffer.from(value).readInt32LE()}`)
      return 0
    },
    bind: (fd, address) => {
      calls.push(`bind ${fd} ${Buffer.from(address).toString('hex')}`)
      return answer('bind', 0)
    },
    send: (fd, bytes) => {
      calls.push(`send ${fd} ${Buffer.from(bytes).toString()}`)
      return answer('send', bytes.length)
    },
    recv: (_, into) => {
      const frame = frames.shift()
      errno = EAGAIN
      return frame === undefined ? -1 : frame.copy(into)
    },
    close: fd => calls.push(`close ${fd}`),
    errno: () => errno,
  }
  const link = { index: 258, name: 'eth0', mac: '0a:58:0a:f4:00:02' }
  const networks = {
    open: async (namespace?: string) => {
      calls.push(`open ${namespace ?? 'own'}`)
      return {
        link: async (name: string) => (name === 'eth0' ? link : undefined),
        close: () => calls.push('close network'),
      }
    },
  } as unknown as Networks
  return { calls, frames, links: packetLinks(networks, c)! }
}

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    error => (error instanceof PacketsRefused ? `${error.code}: ${error.message}` : error),
  )

describe('an interface', () => {
  test('is listened to for IPv4 alone, and knows its own address', async () => {
    const { calls, links } = machine()
    const link = await links.open('eth0')
    expect(link.hardware).toEqual(Buffer.from([0x0a, 0x58, 0x0a, 0xf4, 0, 2]))
    expect(calls).toEqual([
      'open own',
      `socket 17 ${3 | 0o2000000 | 0o4000} 8`,
      // Room for what comes in, beyond the limit of the machine.
      `set 77 1 33 ${4 * 1024 * 1024}`,
      // Family, protocol in network byte order, the number of the interface.
      `bind 77 ${'1100'}${'0800'}${'02010000'}${'00'.repeat(12)}`,
      'close network',
    ])
  })

  test('that is not there is refused, and so is one that the kernel does not give', async () => {
    for (const [refuses, name, said] of [
      [{}, 'eth9', 'ENODEV: there is no interface eth9'],
      [{ socket: EPERM }, 'eth0', 'EPERM: cannot open a raw socket for eth0: EPERM'],
      [{ bind: EPERM }, 'eth0', 'EPERM: cannot listen on eth0: EPERM'],
    ] as const) {
      const { calls, links } = machine(refuses)
      expect(await refusal(links.open(name))).toBe(said)
      expect(calls.filter(call => call.startsWith('close'))).toEqual([
        ...('bind' in refuses ? ['close 77'] : []),
        'close network',
      ])
    }
  })

  test('of a namespace that is not there is refused', async () => {
    const { calls, links } = machine()
    expect(await refusal(links.open('eth0', '/run/netns/never-was'))).toMatch(/^ENOENT: /)
    expect(calls).toEqual(['open /run/netns/never-was', 'close network'])
  })
})

describe('frames', () => {
  test('are sent as they are, and what the kernel refuses is said', async () => {
    const { calls, links } = machine()
    ;(await links.open('eth0')).send(Buffer.from('frame'))
    expect(calls.at(-1)).toBe('send 77 frame')
    const refusing = await machine({ send: 100 }).links.open('eth0')
    expect(() => refusing.send(Buffer.from('frame'))).toThrow('cannot send a frame: ENETDOWN')
  })

  test('that came are read one by one, each in bytes of its own; none is nothing', async () => {
    const { frames, links } = machine()
    const link = await links.open('eth0')
    expect(link.receive()).toBeUndefined()
    frames.push(Buffer.from('first'), Buffer.from('2nd'), Buffer.of())
    const [first, second] = [link.receive(), link.receive()]
    expect([String(first), String(second)]).toEqual(['first', '2nd'])
    expect(link.receive()).toBeUndefined()
  })

  test('end with the socket, which is closed once: its number may be that of another file', async () => {
    const { calls, links } = machine()
    const link = await links.open('eth0')
    link.close()
    link.close()
    expect(calls.filter(call => call === 'close 77')).toHaveLength(1)
  })
})
