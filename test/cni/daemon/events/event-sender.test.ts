import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { eventSender } from '#cni/daemon/events/event-sender.ts'
import type { WrittenEvent } from '#kubernetes/event-writer.ts'
import type { ApiTransport, Post } from '#kubernetes/transport.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { captureLog } from '../../../support/captured-log.ts'

const event = (note: string): WrittenEvent => ({
  metadata: { name: note, namespace: 'default' },
  reason: 'Because',
  note,
})

/** What the API server answers to each post: a status, or why it cannot be reached. */
function sending(reply: () => number | Error) {
  const [clock, log, posts] = [new PaperClock(), captureLog(1), [] as string[]]
  const post = async ({ body }: Post) => {
    const answer = reply()
    if (answer instanceof Error) throw answer
    posts.push((JSON.parse(body) as WrittenEvent).note!)
    return { status: answer, headers: {}, body: Object.assign(new PassThrough(), { dump: async () => {} }) }
  }
  const transport = async () => ({ post }) as unknown as ApiTransport
  return { clock, posts, lines: log.lines, sender: eventSender({ api: { transport }, clock, log: log.log }) }
}

test('an API server that is away for half an hour gets all in the end, and that is logged once each way', async () => {
  let reply: number | Error = new Error('cannot reach it', { cause: new Error('connect ECONNREFUSED') })
  const { clock, posts, lines, sender } = sending(() => reply)
  for (const note of ['one', 'two', 'three']) sender.send(event(note))
  await clock.advance(1_800_000)
  expect(posts).toEqual([])
  reply = 201
  await clock.advance(10_000)
  expect(posts).toEqual(['one', 'two', 'three'])
  expect(lines).toEqual([
    '"Kubernetes Events wait" err="cannot reach it: connect ECONNREFUSED" waiting=3 next="tried again every 10s; up to 100 are kept for an hour"',
    '"Kubernetes Events are taken again"',
  ])
  await sender.close()
})

test('credentials that cannot be used are tried again', async () => {
  const { clock, posts, sender } = sending(() => 201)
  const broken = eventSender({
    api: { transport: () => Promise.reject(new Error('no such kubeconfig')) },
    clock,
    log: captureLog().log,
  })
  broken.send(event('lost'))
  sender.send(event('one'))
  await clock.advance(0)
  expect(posts).toEqual(['one'])
  await broken.close()
  await sender.close()
})

test('an API server that refuses them is logged once, not for each', async () => {
  const { clock, lines, sender } = sending(() => 403)
  for (const note of ['one', 'two', 'three']) sender.send(event(note))
  await clock.advance(60_000)
  expect(lines).toEqual([
    '"Kubernetes Event was not sent" reason="Because" note="one" why="the API server answered 403"',
  ])
  await sender.close()
})

test('without an API server there are none, which is one line', async () => {
  const log = captureLog(0)
  const sender = eventSender({ clock: new PaperClock(), log: log.log })
  for (let i = 0; i < 10; i++) sender.send(event('one'))
  await sender.close()
  expect(log.lines).toEqual([
    '"No Kubernetes Events are made" why="no API server is configured" next="this log and /metrics say the same"',
  ])
})
