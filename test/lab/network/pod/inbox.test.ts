import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { Inbox } from '#lab/network/pod/inbox.ts'

test('what has come in time is not late because the program was busy', async () => {
  const inbox = new Inbox()
  const [here, there] = [createSocket('udp4'), createSocket('udp4')]
  here.on('message', message => inbox.put({ line: String(message) }))
  await once(here.bind(0, '127.0.0.1'), 'listening')
  there.connect(here.address().port, '127.0.0.1')
  await once(there, 'connect')
  const next = inbox.next(performance.now() + 20)
  there.send('in time')
  const end = performance.now() + 60
  while (performance.now() < end);
  expect(await next).toEqual({ line: 'in time' })
  here.close()
  there.close()
})

test('where nothing comes the time is over, and where it has ended the end is what comes', async () => {
  const inbox = new Inbox()
  expect(await inbox.next(performance.now() + 20)).toEqual({ failure: 'timeout' })
  inbox.put({ line: 'last words' })
  inbox.end({ failure: 'closed' })
  inbox.end({ failure: 'reset' })
  expect(await inbox.next(performance.now() + 20)).toEqual({ line: 'last words' })
  expect(await inbox.next(performance.now() + 20)).toEqual({ failure: 'closed' })
})
