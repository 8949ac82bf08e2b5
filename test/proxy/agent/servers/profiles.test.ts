import { beforeEach, describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { Profiles } from '#proxy/agent/servers/profiles.ts'
import { serveHttp } from '#system/sockets.ts'
import { type CapturedLog, captureLog } from '../../../support/captured-log.ts'
import { ask } from '../../../support/local-ports.ts'

let clock: PaperClock
let heard: CapturedLog
let profiles: Profiles

beforeEach(() => {
  clock = new PaperClock(Date.UTC(2026, 0, 2, 3, 4, 5, 678))
  heard = captureLog(2)
  profiles = new Profiles({ nodeName: 'node-1', clock, log: heard.log })
})

function answer(page: string, method = 'GET') {
  const { pathname: path, searchParams: query } = new URL(page, 'http://node')
  return profiles.answer({ method, path, query })
}

/** On a port of this machine, until the test has ended. */
async function served<T>(test: (port: number) => Promise<T>): Promise<T> {
  const { port, close } = await serveHttp({ host: '127.0.0.1', port: 0 }, request => profiles.answer(request)!)
  try {
    return await test(port)
  } finally {
    await close()
  }
}

describe('the pages of profiles', () => {
  test.each([
    [
      'profile',
      'switchyard-node-1-20260102T030405Z.cpuprofile',
      ['nodes', 'startTime', 'endTime', 'samples', 'timeDeltas'],
    ],
    ['heap', 'switchyard-node-1-20260102T030405Z.heapprofile', ['head', 'samples']],
    ['allocs', 'switchyard-node-1-20260102T030405Z.heapprofile', ['head', 'samples']],
  ])('%s is a file %s, once the seconds have passed', async (name, file, fields) => {
    await served(async port => {
      const asked = ask(port, `/debug/pprof/${name}?seconds=2`)
      await expect.poll(() => clock.sleepers, { interval: 5 }).toBe(1)
      await clock.advance(2000)
      const { status, headers, body } = await asked
      expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
        200,
        'application/json',
        'no-store',
      ])
      expect(headers.get('content-disposition')).toBe(`attachment; filename="${file}"`)
      expect(Object.keys(JSON.parse(body)).toSorted()).toEqual(fields.toSorted())
      expect(heard.lines.join('')).toMatch(/^"Taking a profile" kind="\w+" seconds=2/)
    })
  })

  test('one is taken at a time: another request is refused until it has ended', async () => {
    await served(async port => {
      const first = ask(port, '/debug/pprof/profile')
      await expect.poll(() => clock.sleepers, { interval: 5 }).toBe(1)
      await clock.advance(12_000)
      const refused = { status: 409, body: 'another profile is being taken; ask again in 18 s\n' }
      expect(await ask(port, '/debug/pprof/heap?seconds=1')).toMatchObject(refused)
      await clock.advance(18_000)
      expect((await first).status).toBe(200)
      expect(answer('/debug/pprof/heap?seconds=1')).toMatchObject({ status: 200 })
    })
  })

  test('a client that goes ends the profile', async () => {
    await served(async port => {
      const leave = new AbortController()
      const left = fetch(`http://127.0.0.1:${port}/debug/pprof/profile?seconds=60`, { signal: leave.signal })
      await expect.poll(() => clock.sleepers, { interval: 5 }).toBe(1)
      const response = await left
      leave.abort()
      await expect(response.text()).rejects.toThrow()
      await expect.poll(() => answer('/debug/pprof/heap', 'HEAD')?.status, { interval: 5 }).toBe(200)
    })
  })

  test('a request for the headers alone takes none', () => {
    expect(answer('/debug/pprof/profile', 'HEAD')).toMatchObject({ status: 200 })
    expect(answer('/debug/pprof/profile')).toMatchObject({ status: 200 })
    expect(answer('/debug/pprof/profile', 'HEAD')).toMatchObject({ status: 409 })
  })

  test.each(['0', '61', '-1', '1.5', '1e1', '', 'many'])('seconds=%s is refused in words', seconds => {
    expect(answer(`/debug/pprof/profile?seconds=${seconds}`)).toMatchObject({
      status: 400,
      body: `seconds is "${seconds}"; a whole number from 1 to 60 would be right\n`,
    })
  })

  test('are listed, and named where another one is asked for', () => {
    for (const path of ['/debug/pprof', '/debug/pprof/']) {
      const { status, body } = answer(path)!
      expect(status).toBe(200)
      for (const name of ['profile', 'heap', 'allocs']) expect(body).toContain(` /debug/pprof/${name}?seconds=30 `)
    }
    expect(answer('/debug/pprof/goroutine')).toMatchObject({
      status: 404,
      body: 'there is no profile "goroutine"; there are profile, heap, allocs\n',
    })
    expect(answer('/debug/pprof/constructor')).toMatchObject({ status: 404 })
    expect(answer('/debug')).toBeUndefined()
    expect(answer('/metrics')).toBeUndefined()
  })

  test('a name of a node that a header could not carry is written in plain letters', () => {
    const { log } = heard
    profiles = new Profiles({ nodeName: 'a"b\r\nc', clock, log })
    const { headers } = answer('/debug/pprof/heap', 'HEAD')!
    expect(headers!['Content-Disposition']).toBe(
      'attachment; filename="switchyard-a_b__c-20260102T030405Z.heapprofile"',
    )
  })
})
