import { describe, expect, test } from 'vitest'
import { ERROR } from '#system/netlink/message.ts'
import { elementsIn } from '#system/netlink/ruleset-elements.ts'
import { RulesetWriter } from '#system/netlink/ruleset-writer.ts'
import type { RulesetChange } from '#system/ports.ts'
import { parts } from '../network/messages/content.ts'
import { type Answer, type Datagram, errorBody, ScriptedSocket } from './scripted-socket.ts'

// Changes → one transaction, and what the kernel makes of it. That it does what is written is proven on the real kernel.

const CHAIN = { family: 'ip', table: 'nat', chain: 'KUBE-A' } as const
const SET = { family: 'ip6', table: 'kube-proxy', set: 'm' } as const
const KEY = Buffer.from([1, 2, 3, 4])
const FLUSH: RulesetChange = { do: 'flush chain', at: CHAIN }
const DELETE: RulesetChange = { do: 'delete chain', at: CHAIN }

const NEW_BATCH = 0x10
const acknowledged = ({ errno = 0, ...more }: Partial<Answer> & { errno?: number } = {}): Answer => ({
  ...{ type: ERROR, body: errorBody(errno) },
  ...more,
})

/** Each change is answered in a read of its own, but for those for which a test says otherwise. */
function writing(answers: Readonly<Record<number, readonly Datagram[]>> = {}) {
  let count = -1
  const socket = new ScriptedSocket(({ type }) => (type < 0x100 ? [] : (answers[++count] ?? [[acknowledged()]])))
  return { socket, writer: new RulesetWriter(socket) }
}

describe('a transaction', () => {
  test('stands between its beginning and its end, each change with a number by which it is answered', () => {
    const { socket, writer } = writing()
    expect(writer.change([FLUSH, DELETE])).toBe(true)
    expect(writer.change([DELETE])).toBe(true)
    expect(socket.sent.map(({ type, flags, sequence }) => [type, flags, sequence])).toEqual([
      ...[
        [NEW_BATCH, 1, 0],
        [0x0a08, 5, 1],
        [0x0a05, 5, 2],
        [NEW_BATCH + 1, 1, 0],
      ],
      ...[
        [NEW_BATCH, 1, 0],
        [0x0a05, 5, 3],
        [NEW_BATCH + 1, 1, 0],
      ],
    ])
    expect(socket.sent[0]?.body.toString('hex')).toBe('0000000a')
  })

  test('names table and chain, and of a rule its number: without one, all rules of the chain are meant', () => {
    const { socket, writer } = writing()
    writer.change([FLUSH, { do: 'delete rule', at: CHAIN, handle: KEY }, DELETE])
    const chain = Buffer.from('KUBE-A\0').toString('hex')
    expect(socket.sent.slice(1, -1).map(({ body }) => [body.toString('hex', 0, 4), ...parts(body, 4)])).toEqual([
      ['02000000', '1=6e617400', `2=${chain}`],
      ['02000000', '1=6e617400', `2=${chain}`, '3=01020304'],
      ['02000000', '1=6e617400', `3=${chain}`],
    ])
  })

  test('has elements that are read as they were written', () => {
    const { socket, writer } = writing()
    writer.change([
      { do: 'add element', at: SET, key: KEY, goto: 'service-a', comment: 'shop/cart' },
      { do: 'delete element', at: SET, key: KEY },
    ])
    const [added, deleted] = socket.sent.slice(1, -1)
    expect([...elementsIn(added!.body)]).toEqual([{ key: KEY, value: 'goto service-a', comment: 'shop/cart' }])
    expect([...elementsIn(deleted!.body)]).toEqual([{ key: KEY }])
    // An element that is there already is refused, so that its value is what was written.
    expect([added!.type, added!.flags, deleted!.type, deleted!.flags]).toEqual([0x0a0c, 0x605, 0x0a0e, 5])
  })
})

describe('a transaction has worked', () => {
  test('where every change is answered, in one read or many', () => {
    const { writer } = writing({ 0: [], 1: [[acknowledged({ sequence: 1 }), acknowledged({ sequence: 2 })]] })
    expect(writer.change([FLUSH, DELETE])).toBe(true)
  })

  test('where there was nothing to change', () => expect(writing().writer.change([])).toBe(true))

  test.each<readonly [string, Readonly<Record<number, readonly Datagram[]>>]>([
    ['one change is refused', { 1: [[acknowledged({ errno: 2 })]] }],
    ['the first is refused, and answered again', { 0: [[acknowledged({ errno: 2 }), acknowledged(), acknowledged()]] }],
    ['one is not answered', { 1: [] }],
    ['answers were lost', { 1: ['overflow'] }],
    ['its beginning is refused', { 0: [[acknowledged({ errno: 1, sequence: 0 })]], 1: [] }],
  ])('not where %s', (_, answers) => expect(writing(answers).writer.change([FLUSH, DELETE])).toBe(false))

  test('not where the kernel does not take it', () => {
    const { socket, writer } = writing()
    socket.errno = 90
    expect(writer.change([FLUSH])).toBe(false)
  })

  test('whatever is still said of the one before', () => {
    const { socket, writer } = writing()
    socket.errno = 90
    writer.change([FLUSH])
    socket.errno = 0
    socket.arrives([acknowledged({ errno: 2, sequence: 1 })])
    expect(writer.change([DELETE])).toBe(true)
  })
})
