import { describe, expect, test } from 'vitest'
import { DONE, DUMP_INTERRUPTED, ERROR, textAttribute } from '#system/netlink/message.ts'
import { NetlinkRefused, RulesetQuestions } from '#system/netlink/ruleset-questions.ts'
import { type Datagram, errorBody, ScriptedSocket } from './scripted-socket.ts'

// What the kernel answers, read by read → messages, or why there are none.

const ASKED = { what: 4, family: 'ip' } as const
const NEWCHAIN = (10 << 8) | 3
const item = (text: string, flags = 0) => ({ type: NEWCHAIN, flags, body: Buffer.from(text) })
const end = (flags = 0) => ({ type: DONE, flags, body: errorBody(0) })

/** Answers each question with the next of these lists of reads. */
function asking(...answers: readonly (readonly Datagram[])[]) {
  let count = 0
  const socket = new ScriptedSocket(() => answers[count++] ?? [])
  const questions = new RulesetQuestions(socket)
  const all = () =>
    questions.all(
      ASKED,
      () => [] as string[],
      (into, body) => into.push(String(body)),
    )
  return { socket, questions, all }
}

function refusal(ask: () => unknown): number | undefined {
  try {
    ask()
    return undefined
  } catch (error) {
    if (error instanceof NetlinkRefused) return error.errno
    throw error
  }
}

describe('a list', () => {
  test('is all messages of all reads up to its end, in order', () => {
    const { all, socket } = asking([[item('a'), item('b')], [item('c')], [end(), item('behind')]])
    expect(all()).toEqual(['a', 'b', 'c'])
    expect(socket.sent.map(({ type, flags, body }) => [type, flags, body.toString('hex')])).toEqual([
      [(10 << 8) | 4, 0x301, '02000000'],
    ])
  })

  test('heeds only what answers its own question', () => {
    const old = { ...item('old'), sequence: 77 }
    const { all } = asking([
      [old, item('a'), { ...end(), sequence: 77 }],
      [{ ...end(), sequence: 0 }, end()],
    ])
    expect(all()).toEqual(['a'])
  })

  test('that a commit has changed meanwhile is asked for again, from nothing', () => {
    const { all, socket } = asking([[item('a')], [item('b', DUMP_INTERRUPTED), end()]], [[item('c'), end()]])
    expect(all()).toEqual(['c'])
    expect(new Set(socket.sent.map(({ sequence }) => sequence)).size).toBe(2)
  })

  test('also where only its end says so: what was left out would have come last', () => {
    const { all } = asking([[item('a')], [end(DUMP_INTERRUPTED)]], [[item('a'), item('b')], [end()]])
    expect(all()).toEqual(['a', 'b'])
  })

  test('that changes all the time is refused after some attempts', () => {
    const changing = [[item('a', DUMP_INTERRUPTED), end()]]
    const { all, socket } = asking(...Array.from({ length: 20 }, () => changing))
    expect(refusal(all)).toBe(4)
    expect(socket.sent).toHaveLength(5)
  })

  test('that the kernel has given up on the way is none', () => {
    expect(refusal(asking([[item('a')], [{ type: DONE, body: errorBody(12) }]]).all)).toBe(12)
  })

  test.each<readonly [string, readonly Datagram[], number]>([
    ['that is refused', [[{ type: ERROR, body: errorBody(1) }]], 1],
    ['without an end', [[item('a')]], 0],
    ['without an answer', [], 0],
    ['of which some was lost', [[item('a')], 'overflow', [end()]], 105],
    ['of which a message is cut off', [[item('a')], Buffer.from('1c00000003000000', 'hex')], 0],
  ])('%s is none', (_, answer, errno) => expect(refusal(asking(answer).all)).toBe(errno))

  test('is none where the kernel does not take the question', () => {
    const { all, socket } = asking()
    socket.errno = 13
    expect(refusal(all)).toBe(13)
  })
})

describe('one answer', () => {
  test('is the first message, and nothing is waited for behind it', () => {
    const { questions, socket } = asking([[item('a')]])
    const attributes = [textAttribute(1, 'nat')]
    expect(String(questions.one({ ...ASKED, attributes }))).toBe('a')
    expect(socket.sent[0]).toMatchObject({ flags: 1, body: Buffer.concat([Buffer.from([2, 0, 0, 0]), ...attributes]) })
  })

  test('is none where the kernel says that all is well and nothing else', () => {
    const { questions } = asking([[{ type: ERROR, body: errorBody(0) }]])
    expect(questions.one({ what: 16, family: 'unspecified' })).toBeUndefined()
  })

  test('is refused with the number of the error', () => {
    expect(refusal(() => asking([[{ type: ERROR, body: errorBody(2) }]]).questions.one(ASKED))).toBe(2)
    expect(refusal(() => asking([]).questions.one(ASKED))).toBe(0)
  })
})
