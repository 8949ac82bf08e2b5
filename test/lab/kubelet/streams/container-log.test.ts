import { beforeEach, describe, expect, test } from 'vitest'
import { ContainerLog, type ReadOptions } from '#lab/kubelet/streams/container-log.ts'

let now: number
let log: ContainerLog

beforeEach(() => {
  now = Date.UTC(2026, 0, 1)
  log = new ContainerLog(() => now)
})

const PLAIN: ReadOptions = { follow: false, timestamps: false }

async function text(options: Partial<ReadOptions> = {}): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const bytes of log.read({ ...PLAIN, ...options })) pieces.push(bytes)
  return Buffer.concat(pieces).toString()
}

describe('the log of a container', () => {
  test('has whole lines of both streams in the order they were finished', async () => {
    log.write('stdout', Buffer.from('a\nhalf '))
    log.write('stderr', Buffer.from('oops\n'))
    log.write('stdout', Buffer.from('line\nrest'))
    expect(await text()).toBe('a\noops\nhalf line\n')
    log.end()
    expect(await text()).toBe('a\noops\nhalf line\nrest')
  })

  test('is read from its end, for some time, to a size, and with the time of each line', async () => {
    for (const word of ['one', 'two', 'three']) {
      log.say(word)
      now += 1000.25
    }
    expect(await text({ tailLines: 2 })).toBe('two\nthree\n')
    expect(await text({ tailLines: 0 })).toBe('')
    expect(await text({ sinceSeconds: 1.5 })).toBe('three\n')
    expect(await text({ limitBytes: 6 })).toBe('one\ntw')
    expect(await text({ timestamps: true, tailLines: 1 })).toBe('2026-01-01T00:00:02.000500000Z three\n')
  })

  test('is followed until the container ends', async () => {
    log.say('before')
    const read = text({ follow: true, tailLines: 0 })
    log.say('one')
    await Promise.resolve()
    log.say('two')
    log.end()
    expect(await read).toBe('one\ntwo\n')
  })

  test('keeps the last lines where there are many, and a follower goes on with those', async () => {
    const long = 'x'.repeat(1023)
    for (let i = 0; i < 300; i++) log.say(long)
    log.say('last')
    const kept = (await text()).split('\n')
    expect([kept.length, kept.at(-2)]).toEqual([256 + 1, 'last'])
  })

  test('keeps a line without an end in pieces', async () => {
    log.write('stdout', Buffer.from('y'.repeat(100_000)))
    log.end()
    expect((await text()).length).toBe(100_000)
  })
})
