import { describe, expect, test } from 'vitest'
import { DONE, DUMP_INTERRUPTED, ERROR, textAttribute } from '#system/netlink/message.ts'
import { Conversation, failureOf } from '#system/network/conversation.ts'
import { NetworkRefused } from '#system/network/network.ts'
import { type Datagram, errorBody, ScriptedSocket } from '../netlink/scripted-socket.ts'

// What the kernel answers to a change or a question → the answer, or its own reason why not. The same is proven on the real
// kernel by what Networks promise.

const ASKED = { type: 18, header: Buffer.from([0, 0, 0, 1]) }
const item = (text: string, flags = 0) => ({ type: 16, flags, body: Buffer.from(text) })
const end = (flags = 0) => ({ type: DONE, flags, body: errorBody(0) })
const error = (errno: number) => ({ type: ERROR, body: errorBody(errno) })
const read = (body: Buffer) => [String(body)]

/** Answers each question with the next of these lists of reads. */
function talking(...answers: readonly (readonly Datagram[])[]) {
  let count = 0
  const socket = new ScriptedSocket(() => answers[count++] ?? [])
  return { socket, conversation: new Conversation(socket) }
}

function refusal(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(NetworkRefused)
    return `${(error as NetworkRefused).code} ${(error as Error).message}`
  }
}

describe('a change', () => {
  test('is done when the kernel says so', () => {
    const { conversation, socket } = talking([[item('an announcement')], [error(0)]])
    conversation.change({ ...ASKED, flags: 0x600 }, 'add it')
    expect(socket.sent.map(({ type, flags, sequence }) => [type, flags, sequence])).toEqual([[18, 0x605, 1]])
  })

  test.each<readonly [string, readonly Datagram[], string]>([
    ['for its own reason', [[error(17)]], 'EEXIST cannot add it: file already exists (EEXIST)'],
    ['for one that has no name', [[error(524)]], 'E524 cannot add it: E524'],
    ['where it says nothing', [], 'EIO cannot add it: the kernel says nothing (EIO)'],
    ['where answers were lost', ['overflow', [error(0)]], 'EIO cannot add it: the kernel says overflow (EIO)'],
    [
      'where it answers something else',
      [[{ ...error(0), sequence: 9 }]],
      'EIO cannot add it: the kernel says nothing (EIO)',
    ],
  ])('is refused %s', (_, answer, said) => {
    expect(refusal(() => talking(answer).conversation.change(ASKED, 'add it'))).toBe(said)
  })

  test('is refused where the kernel does not take the message', () => {
    const { conversation, socket } = talking()
    socket.errno = 1
    expect(refusal(() => conversation.change(ASKED, 'add it'))).toBe(
      'EPERM cannot add it: operation not permitted (EPERM)',
    )
  })

  test('that deletes what is not there has deleted nothing; other refusals stay refusals', () => {
    const absent = { doing: 'delete it', absent: ['ENODEV', 'ESRCH'] }
    expect(talking([[error(0)]]).conversation.deleted(ASKED, absent)).toBe(true)
    expect(talking([[error(3)]]).conversation.deleted(ASKED, absent)).toBe(false)
    expect(refusal(() => talking([[error(1)]]).conversation.deleted(ASKED, absent))).toMatch(/^EPERM /)
  })

  test('of many deletes what is there, and fails with the first refusal that is none of those', async () => {
    const requests = Array.from({ length: 450 }, () => ASKED)
    const absent = { doing: 'delete them', absent: ['ENOENT'] }
    const some = talking([], [[error(2)]], [[error(2)], [error(2)]])
    await some.conversation.deleteAside(requests, absent)
    expect(some.socket.sent).toHaveLength(450)
    expect(new Set(some.socket.sent.map(({ sequence }) => sequence)).size).toBe(450)
    const other = talking([], [[error(2), error(1)]])
    await expect(other.conversation.deleteAside(requests, absent)).rejects.toMatchObject({ code: 'EPERM' })
    // What is behind the batch with the refusal is left.
    expect(other.socket.sent).toHaveLength(200)
  })
})

describe('one object', () => {
  test('is the message that has it, and nothing where there is none', () => {
    expect(String(talking([[item('link')]]).conversation.one(ASKED, 'find it'))).toBe('link')
    expect(talking([[error(19)]]).conversation.one(ASKED, 'find it')).toBeUndefined()
    expect(refusal(() => talking([[error(1)]]).conversation.one(ASKED, 'find it'))).toMatch(/^EPERM /)
  })
})

describe('a list', () => {
  const listed = (...answers: readonly (readonly Datagram[])[]) => {
    const { conversation, socket } = talking(...answers)
    return { socket, list: () => conversation.list(ASKED, 'list them', read) }
  }

  test('is what all messages hold, up to its end', () => {
    const { list, socket } = listed([
      [item('a'), item('b')],
      [item('c'), end(), item('d')],
    ])
    expect(list()).toEqual(['a', 'b', 'c'])
    expect(socket.sent[0]?.flags).toBe(0x301)
  })

  test.each([
    ['in the middle', [[item('a', DUMP_INTERRUPTED)], [end()]]],
    ['at its end alone', [[item('a')], [end(DUMP_INTERRUPTED)]]],
  ] as const)('that changed while it was read is read again, from nothing: said %s', (_, changed) => {
    expect(listed(changed, [[item('b'), end()]]).list()).toEqual(['b'])
  })

  test('that changes all the time is refused', () => {
    const { list, socket } = listed(...Array.from({ length: 50 }, () => [[end(DUMP_INTERRUPTED)]]))
    expect(refusal(list)).toBe('EAGAIN cannot list them: it changes all the time (EAGAIN)')
    expect(socket.sent).toHaveLength(20)
  })

  test.each<readonly [string, readonly Datagram[], RegExp]>([
    ['that is refused', [[error(95)]], /^ENOTSUP|^EOPNOTSUPP/],
    ['that the kernel has given up on the way', [[item('a')], [{ type: DONE, body: errorBody(12) }]], /^ENOMEM /],
    ['without an end', [[item('a')]], /^EIO /],
  ])('%s is none', (_, answer, code) => expect(refusal(listed(answer).list)).toMatch(code))
})

describe('a list that is read aside', () => {
  const aside = (...reads: readonly Datagram[]) => talking(reads).conversation.listAside(ASKED, 'list them', read)

  test('is what all messages hold, once, whatever changes meanwhile', async () => {
    expect(await aside([item('a', DUMP_INTERRUPTED)], [item('b')], [end()])).toEqual(['a', 'b'])
    expect(await aside([end()])).toEqual([])
  })

  test('comes in pieces, a read each; reads in which nothing is found make none', async () => {
    const { conversation } = talking([[item('a'), item('b')], [item('')], [item('c')], [item('d'), end()]])
    const pieces: (readonly string[])[] = []
    const found = (body: Buffer) => (body.length === 0 ? [] : [String(body)])
    for await (const piece of conversation.piecesAside(ASKED, 'list them', found)) pieces.push(piece)
    expect(pieces).toEqual([['a', 'b'], ['c'], ['d']])
  })

  test('is none where the kernel gives it up', async () => {
    await expect(aside([item('a')], [{ type: DONE, body: errorBody(12) }])).rejects.toMatchObject({ code: 'ENOMEM' })
    await expect(aside([error(1)])).rejects.toMatchObject({ code: 'EPERM' })
    await expect(aside([item('a')])).rejects.toMatchObject({ code: 'EIO' })
  })
})

describe('why the kernel refuses', () => {
  const CAPPED = 0x100
  const WITH_ATTRIBUTES = 0x200
  const body = Buffer.concat([errorBody(22), textAttribute(1, 'Invalid prefix'), textAttribute(2, 'x')])
  const failure = (flags: number, bytes: Buffer = body) => failureOf({ type: ERROR, flags, sequence: 1, body: bytes })

  test('is said in its own words, where it gives any', () => {
    expect(failure(CAPPED | WITH_ATTRIBUTES)).toEqual({ code: 'EINVAL', said: 'Invalid prefix' })
    expect(failure(CAPPED | WITH_ATTRIBUTES, body.subarray(0, 20))).toEqual({ code: 'EINVAL' })
    expect(failure(CAPPED | WITH_ATTRIBUTES, body.subarray(0, 30))).toEqual({ code: 'EINVAL' })
  })

  test('is a code alone where no words stand behind it, or our own message does', () => {
    expect(failure(CAPPED)).toEqual({ code: 'EINVAL' })
    expect(failure(WITH_ATTRIBUTES)).toEqual({ code: 'EINVAL' })
  })

  test('is not there where it has done what was asked, or says something else', () => {
    expect(failure(0, errorBody(0))).toBe('none')
    expect(failureOf({ type: DONE, flags: 0, sequence: 1, body })).toBeUndefined()
  })
})

test('of the real kernel, without any right: there is a loopback device, and no link of another name', () => {
  const conversation = Conversation.open(undefined)
  const request = (name: string) => ({ type: 18, header: Buffer.alloc(16), attributes: [textAttribute(3, name)] })
  expect(conversation.one(request('lo'), 'find lo')?.readInt32LE(4)).toBe(1)
  expect(conversation.one(request('no-such-link'), 'find it')).toBeUndefined()
  conversation.close()
})
