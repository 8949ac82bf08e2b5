import { describe, expect, test } from 'vitest'
import {
  attribute,
  DONE,
  DUMP_INTERRUPTED,
  ERROR,
  type Message,
  numberAttribute,
  textAttribute,
} from '#system/netlink/message.ts'
import { NetworkReader, RouteNetlinkFailed } from '#system/netlink/rtnetlink.ts'
import { type Datagram, errorBody, ScriptedSocket } from './scripted-socket.ts'

// Links, addresses and routes as Linux 6.18 listed them, and answers that are none.

const end: Datagram = [{ type: DONE, body: errorBody(0) }]
const answer = (...hex: readonly string[]): readonly Datagram[] => [
  hex.map(text => ({ type: 16, body: Buffer.from(text, 'hex') })),
  end,
]

function reader(...datagrams: readonly Datagram[]) {
  const asked: Message[] = []
  const socket = new ScriptedSocket(one => {
    asked.push(one)
    return datagrams
  })
  return { reader: new NetworkReader(socket), socket, asked }
}

describe('what the kernel lists', () => {
  test('are links by number and name, whatever else is said of them', () => {
    const all = answer(
      `00000403010000004900010000000000${'070003006c6f0000'}${'0800040000000100'}`,
      `00000100030000004311010000000000${'0800040000000100'}${'0700030076310000'}`,
      '00000100090000004311010000000000',
    )
    const { asked, reader: one } = reader(...all)
    expect(one.links()).toEqual([
      { index: 1, name: 'lo' },
      { index: 3, name: 'v1' },
      { index: 9, name: '' },
    ])
    expect(asked.map(({ type, flags, body }) => [type, flags, body.length])).toEqual([[18, 0x301, 16]])
  })

  test('are addresses, each its own and not that of the other end', () => {
    const all = answer(
      '0220800003000000080001000a090909080002000a010002',
      '0a4080fd0300000014000100fe80000000000000687b45fffe8f0ada',
      '0218000704000000080002000a020001',
      '0218000004000000',
    )
    expect(
      reader(...all)
        .reader.addresses()
        .map(({ bytes, ...rest }) => ({ ...rest, bytes: bytes.toString('hex') })),
    ).toEqual([
      { link: 3, prefixLength: 32, scope: 'global', bytes: '0a010002' },
      { link: 3, prefixLength: 64, scope: 'link', bytes: 'fe80000000000000687b45fffe8f0ada' },
      { link: 4, prefixLength: 24, scope: '7', bytes: '0a020001' },
    ])
  })

  test('are routes of one family in every table, without those that are only remembered', () => {
    const all = answer(
      '02000000fe0300010000000008000f00fe000000080005000a0100fe0800040004000000',
      '02100000fc0300010400000008000f002c010000080001000a0600000800040004000000',
      '02100000fe0300070000000008000f00fe000000080001000a070000',
      '02200000fe0200010002000008000f00fe000000080001000a010001',
      '0a400000fe0200010000000008000f00fe00000014000100fd000000000000000000000000000000',
    )
    const { asked, reader: one } = reader(...all)
    expect(one.routes('ipv4')).toEqual([
      { table: 254, type: 1, prefixLength: 0, link: 4 },
      { table: 300, type: 1, prefixLength: 16, destination: Buffer.from([10, 6, 0, 0]), link: 4 },
      { table: 254, type: 7, prefixLength: 16, destination: Buffer.from([10, 7, 0, 0]) },
    ])
    expect(asked[0]?.body[0]).toBe(2)
  })

  test('has bytes of its own: those of the socket are used for the next message', () => {
    const body = Buffer.concat([Buffer.from('0218000004000000', 'hex'), attribute(2, Buffer.from([10, 0, 0, 1]))])
    const bytes = Buffer.concat([Buffer.from([body.length + 16, 0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]), body])
    const [address] = reader(bytes, end).reader.addresses()
    bytes.fill(0xff)
    expect(address?.bytes).toEqual(Buffer.from([10, 0, 0, 1]))
  })
})

describe('a list is none', () => {
  const link = { type: 16, body: Buffer.concat([Buffer.alloc(16), textAttribute(3, 'lo'), numberAttribute(4, 1500)]) }

  test.each<readonly [string, readonly Datagram[]]>([
    ['that changed while it was read', [[{ ...link, flags: DUMP_INTERRUPTED }], end]],
    ['of which only the end says so', [[link], [{ type: DONE, flags: DUMP_INTERRUPTED, body: errorBody(0) }]]],
    ['that is refused', [[{ type: ERROR, body: errorBody(95) }]]],
    ['that the kernel has given up', [[link], [{ type: DONE, body: errorBody(12) }]]],
    ['without an end', [[link]]],
    ['of which some was lost', [[link], 'overflow', end]],
    [
      'that answers another question',
      [
        [
          { ...link, sequence: 9 },
          { type: DONE, sequence: 9, body: errorBody(0) },
        ],
      ],
    ],
  ])('%s', (_, datagrams) => {
    const { reader: one, socket } = reader(...datagrams)
    expect(() => one.links()).toThrow(RouteNetlinkFailed)
    one.close()
    expect(socket.closed).toBe(1)
  })

  test('where the kernel does not take the question', () => {
    const { reader: one, socket } = reader(end)
    socket.errno = 1
    expect(() => one.routes('ipv6')).toThrow('netlink refused message 26 with errno 1')
  })
})

test('of this process’s own namespace, without any right: the loopback device is there', () => {
  const real = NetworkReader.open()
  expect(real?.links()).toContainEqual({ index: 1, name: 'lo' })
  expect(real?.addresses().every(({ bytes }) => bytes.length === 4 || bytes.length === 16)).toBe(true)
  real?.close()
})
