import { describe, expect, test } from 'vitest'
import {
  attribute,
  attributesIn,
  DONE,
  ERROR,
  type Message,
  nest,
  textAttribute,
  textOf,
} from '#system/netlink/message.ts'
import { NetlinkRefused } from '#system/netlink/ruleset-questions.ts'
import { RulesetReader } from '#system/netlink/ruleset-reader.ts'
import { type Datagram, errorBody, ScriptedSocket } from './scripted-socket.ts'

// Questions about a ruleset that a test writes. That the kernel answers so is proven on the real one.

const [GETTABLE, GETCHAIN, GETRULE, GETSETELEM, GETGEN] = [1, 4, 7, 13, 16]
const HEADER = Buffer.from([2, 0, 0, 1])
const end: Datagram = [{ type: DONE, body: errorBody(0) }]
const refused = (errno: number): readonly Datagram[] => [[{ type: ERROR, body: errorBody(errno) }]]
const item = (...attributes: readonly Buffer[]) => ({ type: 0xa00, body: Buffer.concat([HEADER, ...attributes]) })
const list = (...items: readonly { type: number; body: Buffer }[]): readonly Datagram[] => [items, end]

function reading(answers: Readonly<Record<number, readonly Datagram[]>>) {
  const asked: Message[] = []
  const socket = new ScriptedSocket(one => {
    asked.push(one)
    return answers[one.type & 0xff] ?? []
  })
  const names = () =>
    asked.map(({ body }) => [...attributesIn(body, 4)].map(([type, value]) => `${type} ${textOf(value)}`))
  return { reader: new RulesetReader(socket), socket, names }
}

const jump = (chain: string) => {
  const verdict = nest(2, [attribute(1, Buffer.from([255, 255, 255, 253])), textAttribute(2, chain)])
  return nest(1, [textAttribute(1, 'immediate'), nest(2, [nest(2, [verdict])])])
}
const rule = (handle: number, ...expressions: readonly Buffer[]) =>
  item(textAttribute(1, 'nat'), textAttribute(2, 'A'), attribute(3, Buffer.from([0, handle])), nest(4, expressions))

const AT = { family: 'ip', table: 'nat', chain: 'A' } as const

describe('the ruleset has', () => {
  test('the number of its last transaction', () => {
    const [generation] = [item(attribute(1, Buffer.from([0x80, 0, 0, 7])))]
    expect(reading({ [GETGEN]: [[generation]] }).reader.generation()).toBe(0x8000_0007)
    expect(() => reading({ [GETGEN]: [[item()]] }).reader.generation()).toThrow('the kernel gave no generation')
    expect(() => reading({ [GETGEN]: refused(1) }).reader.generation()).toThrow(NetlinkRefused)
  })

  test('tables, and chains in each of them', () => {
    const chain = (table: string, name: string) =>
      item(textAttribute(1, table), attribute(2, Buffer.alloc(8)), textAttribute(3, name))
    const { reader } = reading({
      [GETTABLE]: list(item(textAttribute(1, 'nat')), item(textAttribute(1, 'filter'))),
      [GETCHAIN]: list(chain('nat', 'A'), chain('filter', 'A'), chain('nat', 'B')),
    })
    expect(reader.tables('ip')).toEqual(new Set(['nat', 'filter']))
    expect(reader.chains('ip')).toEqual(
      new Map([
        ['nat', new Set(['A', 'B'])],
        ['filter', new Set(['A'])],
      ]),
    )
  })

  test('a chain where it answers with one, and none where it says that there is none', () => {
    const found = reading({ [GETCHAIN]: [[item(textAttribute(1, 'nat'))]] })
    expect(found.reader.hasChain(AT)).toBe(true)
    expect(found.names()).toEqual([['1 nat', '3 A']])
    expect(reading({ [GETCHAIN]: refused(2) }).reader.hasChain(AT)).toBe(false)
    expect(() => reading({ [GETCHAIN]: refused(1) }).reader.hasChain(AT)).toThrow(NetlinkRefused)
    expect(() => reading({}).reader.hasChain(AT)).toThrow(NetlinkRefused)
  })
})

describe('a chain', () => {
  test('has a fingerprint that its rules make, one where it is empty, and none where it is absent', () => {
    const print = (rules: readonly Datagram[], isThere = true) =>
      reading({ [GETRULE]: rules, [GETCHAIN]: isThere ? [[item()]] : refused(2) }).reader.fingerprint(AT)
    const [one, two, empty] = [print(list(rule(1, jump('B')))), print(list(rule(1, jump('C')))), print(list())]
    expect(new Set([one, two, empty]).size).toBe(3)
    expect(print(list(rule(9, jump('B'))))).toBe(one)
    expect(print(list(), false)).toBeUndefined()
  })

  test('leads to others by its rules, each with the number by which it is deleted', () => {
    const { reader } = reading({ [GETRULE]: list(rule(1, jump('B')), rule(2), rule(3, jump('B'), jump('C'))) })
    expect(reader.targets(AT)).toEqual(new Set(['B', 'C']))
    expect(reader.jumps(AT)).toEqual([
      { target: 'B', handle: Buffer.from([0, 1]) },
      { target: 'B', handle: Buffer.from([0, 3]) },
      { target: 'C', handle: Buffer.from([0, 3]) },
    ])
  })
})

describe('a set', () => {
  const SET = { family: 'ip', table: 'kube-proxy', set: 's' } as const
  const elements = (key: number) =>
    item(textAttribute(1, 'kube-proxy'), nest(3, [nest(1, [nest(1, [attribute(1, Buffer.from([key]))])])]))

  test('has the elements of all messages, and none where it is absent', () => {
    const { reader, names } = reading({ [GETSETELEM]: list(elements(1), elements(2)) })
    expect(reader.elements(SET)).toEqual([{ key: Buffer.from([1]) }, { key: Buffer.from([2]) }])
    expect(names()).toEqual([['1 kube-proxy', '2 s']])
    expect(reading({ [GETSETELEM]: refused(2) }).reader.elements(SET)).toEqual([])
    expect(() => reading({ [GETSETELEM]: refused(12) }).reader.elements(SET)).toThrow(NetlinkRefused)
  })
})

test('the socket is closed with the reader, which knows the namespace as its socket does', () => {
  const { reader, socket } = reading({})
  expect(reader.namespaceCookie()).toBe('paper')
  reader.close()
  expect(socket.closed).toBe(1)
})
