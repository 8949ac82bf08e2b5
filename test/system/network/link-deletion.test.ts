import { describe, expect, test } from 'vitest'
import { ERROR, type Message } from '#system/netlink/message.ts'
import { deleteLinkOver } from '#system/network/link-deletion.ts'
import { linkHeader } from '#system/network/messages/link-messages.ts'
import { type Datagram, errorBody, ScriptedSocket } from '../netlink/scripted-socket.ts'

// The deletion of a link, which the kernel announces before it answers.

const INDEX = 258
const gone = (index = INDEX, family = 0) => {
  const body = linkHeader({ index })
  body[0] = family
  return { type: 17, sequence: 0, body }
}
const answer = (errno: number, sequence?: number) => ({
  ...{ type: ERROR, body: errorBody(errno) },
  ...(sequence !== undefined && { sequence }),
})

/** A socket on which sending goes on until the test ends it. */
class SlowSocket extends ScriptedSocket {
  readonly ended = Promise.withResolvers<void>()

  override async sendAside(bytes: Buffer): Promise<void> {
    await super.sendAside(bytes)
    await this.ended.promise
  }
}

function deleting(...datagrams: readonly Datagram[]) {
  const asked: Message[] = []
  const socket = new SlowSocket(one => {
    asked.push(one)
    return datagrams
  })
  const outcome = deleteLinkOver(socket, { index: INDEX, doing: 'delete link "a"' })
  return { asked, socket, outcome }
}

describe('a link is gone', () => {
  test('when the kernel announces it, while it is still busy', async () => {
    const { asked, outcome, socket } = deleting([gone(3), gone(INDEX, 7), gone()])
    expect(await outcome).toBe(true)
    expect(asked.map(({ type, flags, body }) => [type, flags, body.toString('hex')])).toEqual([
      [17, 5, '00000000020100000000000000000000'],
    ])
    expect(socket.closed).toBe(1)
  })

  test('when it answers so, where the announcement was lost or has not come', async () => {
    for (const lost of [['overflow'], []] as const) {
      const { outcome } = deleting(...lost, [answer(0)])
      expect(await outcome).toBe(true)
    }
  })
})

describe('a link is not gone', () => {
  test('where there was none', async () => {
    const { outcome, socket } = deleting([answer(19)])
    expect(await outcome).toBe(false)
    expect(socket.closed).toBe(1)
  })

  test('where the kernel refuses', async () => {
    await expect(deleting([answer(95)]).outcome).rejects.toThrow(/^cannot delete link "a": /)
    await expect(deleting([answer(1)]).outcome).rejects.toMatchObject({ code: 'EPERM' })
  })

  test('where another one is, or another answer comes: it is waited for until the kernel has ended', async () => {
    const { outcome, socket } = deleting([gone(3), gone(INDEX, 7), answer(0, 99)])
    const early = await Promise.race([outcome, new Promise(resolve => setImmediate(resolve, 'waits'))])
    expect(early).toBe('waits')
    socket.ended.resolve()
    await expect(outcome).rejects.toThrow('cannot delete link "a": the kernel did not answer (EIO)')
  })

  test('where the message was not sent', async () => {
    const { outcome, socket } = deleting()
    socket.ended.reject(Object.assign(new Error('no'), { code: 'EPERM' }))
    await expect(outcome).rejects.toMatchObject({ code: 'EPERM' })
    expect(socket.closed).toBe(1)
  })
})

test('an answer that comes just as the kernel has ended is the outcome', async () => {
  const { outcome, socket } = deleting()
  socket.arrives([answer(19, 1)])
  socket.ended.resolve()
  expect(await outcome).toBe(false)
})
