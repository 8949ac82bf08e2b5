import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { attribute, numberAttribute, textAttribute } from '#system/netlink/message.ts'
import { RulesetListener } from '#system/netlink/ruleset-listener.ts'
import type { Touch } from '#system/ports.ts'
import { type Answer, type Datagram, ScriptedSocket } from './scripted-socket.ts'

// What the kernel announces of the ruleset, message by message → transactions, and what each touched.

const FAMILIES: Readonly<Record<string, number>> = { ip: 2, ip6: 10, inet: 1 }
const TYPES = {
  ...{ newtable: 0, deltable: 2, newchain: 3, delchain: 5, newrule: 6, delrule: 8, newset: 9, delset: 11 },
  ...{ newelem: 12, delelem: 14, newgen: 15, newobj: 18, newflowtable: 22 },
} as const

/** `newrule ip nat KUBE-A`: the name stands where messages of its kind have it. */
function notice(words: string, ...more: readonly Buffer[]): Answer {
  const [type, family, table, name] = words.split(' ') as [keyof typeof TYPES, string, string, string?]
  const named = name === undefined ? [] : [textAttribute(type.endsWith('chain') ? 3 : 2, name)]
  const handle = type.endsWith('chain') ? [attribute(2, Buffer.from([0, 0, 0, 7]))] : []
  const body = Buffer.concat([
    ...[Buffer.from([FAMILIES[family]!, 0, 0, 1]), textAttribute(1, table), ...handle, ...named],
    ...more,
  ])
  return { type: (10 << 8) | TYPES[type], body }
}

const big = (type: number, value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return attribute(type, bytes)
}

function generation(number: number, program = 'nft', process = 77): Answer {
  const body = Buffer.concat([Buffer.alloc(4), big(1, number), big(2, process), textAttribute(3, program)])
  return { type: (10 << 8) | TYPES.newgen, body }
}

function hearing(concerns: (family: Touch['family'], table: string) => boolean = () => true) {
  const socket = new ScriptedSocket()
  const listener = new RulesetListener(socket, concerns)
  const hear = (...datagrams: readonly Datagram[]) => {
    socket.arrives(...datagrams)
    const { commits, gap } = listener.hear()
    const said = ({ verb, kind, family, table, name }: Touch) => `${verb} ${kind} ${family} ${table} ${name}`.trim()
    return { gap, commits: commits.map(({ touches, ...rest }) => ({ ...rest, touches: touches.map(said) })) }
  }
  return { hear, listener, socket }
}

describe('a transaction', () => {
  test('is what was touched, and at its end its number, process and program', () => {
    const { hear } = hearing()
    expect(
      hear([notice('newchain ip nat KUBE-A'), notice('newrule ip nat KUBE-A')], [generation(78, 'iptables-nft-re')]),
    ).toEqual({
      gap: false,
      commits: [
        {
          ...{ generation: 78, process: 77, program: 'iptables-nft-re' },
          touches: ['add chain ip nat KUBE-A', 'add rule ip nat KUBE-A'],
        },
      ],
    })
    expect(hear()).toEqual({ gap: false, commits: [] })
  })

  test('is not there before its end, and has nothing of the one before', () => {
    const { hear } = hearing()
    expect(hear([notice('newrule ip nat a')]).commits).toEqual([])
    const { commits } = hear([generation(1), notice('newrule ip nat a'), generation(2), generation(3)])
    expect(commits.map(({ touches }) => touches)).toEqual([['add rule ip nat a'], ['add rule ip nat a'], []])
  })

  test.each([
    ['newtable ip kube-proxy', 'add table ip kube-proxy'],
    ['deltable ip6 kube-proxy', 'delete table ip6 kube-proxy'],
    ['delchain ip nat KUBE-A', 'delete chain ip nat KUBE-A'],
    ['delrule ip nat KUBE-A', 'delete rule ip nat KUBE-A'],
    ['newset ip t s', 'add set ip t s'],
    ['delset ip t s', 'delete set ip t s'],
    ['newelem ip t s', 'add element ip t s'],
    ['delelem ip t s', 'delete element ip t s'],
    ['newrule inet firewalld c', 'add rule other firewalld c'],
    ['newobj ip t counter', 'add other ip t'],
    ['newflowtable ip t f', 'add other ip t'],
  ])('%s is: %s', (words, said) => {
    expect(hearing().hear([notice(words), generation(1)]).commits[0]?.touches).toEqual([said])
  })

  test('has each run of rules of a chain once, and of each chain', () => {
    const rules = (chain: string, count: number) =>
      Array.from({ length: count }, (_, i) =>
        notice(`newrule ip nat ${chain}`, attribute(3, Buffer.from([0, 0, 0, i]))),
      )
    const all = [
      ...rules('A', 3),
      ...rules('AB', 2),
      ...rules('A', 1),
      notice('delrule ip nat A'),
      notice('newrule ip6 nat A'),
    ]
    expect(hearing().hear([...all, generation(1)]).commits[0]?.touches).toEqual([
      ...['add rule ip nat A', 'add rule ip nat AB', 'add rule ip nat A', 'delete rule ip nat A', 'add rule ip6 nat A'],
    ])
  })

  test('keeps only what is of concern, also among messages that resemble each other', () => {
    const { hear } = hearing((family, table) => family === 'ip' && table === 'nat')
    const all = ['newrule ip filter A', 'newrule ip nat A', 'newrule ip6 nat A', 'newrule ip nat A'].map(words =>
      notice(words),
    )
    expect(hear([...all, generation(1)]).commits[0]?.touches).toEqual(['add rule ip nat A', 'add rule ip nat A'])
  })

  test('is not made of messages of other parts of netfilter', () => {
    const conntrack = { ...notice('newrule ip nat A'), type: 1 << 8 }
    expect(hearing().hear([conntrack, { ...generation(1), type: (1 << 8) | 15 }]).commits).toEqual([])
  })

  test('may have no number: then it is the one that no transaction has', () => {
    expect(hearing().hear([{ type: (10 << 8) | 15, body: Buffer.alloc(4) }]).commits).toEqual([
      { generation: 0, process: 0, program: '', touches: [] },
    ])
  })
})

describe('where messages were lost', () => {
  test('there is a gap, and half a transaction is forgotten', () => {
    const { hear } = hearing()
    const { gap, commits } = hear([generation(1), notice('newrule ip nat A')], 'overflow', [
      notice('newrule ip nat B'),
      generation(5),
    ])
    expect(gap).toBe(true)
    expect(commits.map(({ generation, touches }) => [generation, touches])).toEqual([
      [1, []],
      [5, ['add rule ip nat B']],
    ])
    expect(hear([generation(6)]).gap).toBe(false)
  })

  test('the first message behind is read, however much it resembles the last one before', () => {
    const { hear } = hearing()
    const { commits } = hear([notice('newrule ip nat A')], 'overflow', [notice('newrule ip nat A'), generation(5)])
    expect(commits[0]?.touches).toEqual(['add rule ip nat A'])
  })
})

test('touches are those of every message, however many resemble each other', () => {
  const chains = fc.constantFrom('A', 'B', 'AA')
  const words = fc
    .tuple(fc.constantFrom('newrule', 'delrule', 'newelem', 'newchain'), fc.constantFrom('ip', 'ip6'), chains, chains)
    .map(([type, family, table, name]) => `${type} ${family} ${table} ${name}`)
  fc.assert(
    fc.property(fc.array(words, { maxLength: 20 }), all => {
      const together = hearing().hear([...all.map(one => notice(one)), generation(1)]).commits[0]!.touches
      const alone = all.map(one => hearing().hear([notice(one), generation(1)]).commits[0]!.touches[0])
      expect(together).toEqual(alone.filter((touch, i) => touch !== alone[i - 1]))
    }),
  )
})

test('a message that is cut off ends the reading of its datagram, and the socket is closed with the listener', () => {
  const { hear, listener, socket } = hearing()
  const bytes = Buffer.concat([numberAttribute(1, 5), Buffer.alloc(60)])
  expect(hear(bytes, [generation(2)]).commits.map(({ generation }) => generation)).toEqual([2])
  listener.close()
  expect(socket.closed).toBe(1)
})
