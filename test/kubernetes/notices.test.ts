import { expect, test } from 'vitest'
import { type ApiNotice, NoticeLimiter } from '#kubernetes/notices.ts'
import { PaperClock } from '#lab/paper/clock.ts'

const waiting = (resource: ApiNotice['resource'], reason = 'refused'): ApiNotice => ({
  what: 'waiting',
  resource,
  reason,
  retryMs: 800,
})
const back = (resource: ApiNotice['resource']): ApiNotice => ({ what: 'back', resource, downMs: 5 })

function limited(everyMs = 60_000) {
  const clock = new PaperClock(1_000_000)
  const passed: ApiNotice[] = []
  const limiter = new NoticeLimiter(notice => passed.push(notice), clock, everyMs)
  const notify = (...notices: readonly ApiNotice[]) => {
    for (const notice of notices) limiter.notify(notice)
    return passed.splice(0).map(({ what, resource }) => `${what} ${resource}`)
  }
  return { clock, notify }
}

test('a notice is passed on once in a while, however often it is due', async () => {
  const { clock, notify } = limited()
  expect(notify(waiting('Service'), waiting('Service'))).toEqual(['waiting Service'])
  await clock.advance(59_999)
  expect(notify(waiting('Service'))).toEqual([])
  await clock.advance(1)
  expect(notify(waiting('Service'), waiting('Service'))).toEqual(['waiting Service'])
})

test('a server that is down is down for all resources, for each reason; other things are of one resource', () => {
  const { notify } = limited()
  expect(notify(waiting('Service'), waiting('Node'), waiting('Node', 'timeout'))).toEqual([
    'waiting Service',
    'waiting Node',
  ])
  expect(notify(back('Service'), back('Node'))).toEqual(['back Service'])
  const relisting = (resource: ApiNotice['resource']): ApiNotice => ({ what: 'relisting', resource, reason: 'gone' })
  expect(notify(relisting('Service'), relisting('Node'), relisting('Node'))).toEqual([
    'relisting Service',
    'relisting Node',
  ])
})

test('a clock that was set back silences nothing', () => {
  const { clock, notify } = limited()
  notify(waiting('Service'))
  const before = clock.now()
  Object.assign(clock, { now: () => before - 3_600_000 })
  expect(notify(waiting('Service'), waiting('Service'))).toEqual(['waiting Service'])
})
