import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import type { Settings } from '#config/settings.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { serveMetrics } from '#proxy/agent/servers/metrics-server.ts'
import { serveHealth } from '#proxy/agent/servers/probes.ts'
import { Health } from '#telemetry/health.ts'
import { type CapturedLog, captureLog } from '../../../support/captured-log.ts'
import { ask, freePort, HAS_IPV6, occupyPort } from '../../../support/local-ports.ts'
import { report } from '../../../telemetry/reports.ts'
import { SHOWN } from '../../../telemetry/shown.ts'

// The two servers of the agent, on real ports of this machine.

let clock: PaperClock
let heard: CapturedLog
let stop: AbortController

beforeEach(() => {
  clock = new PaperClock(1_000_000)
  heard = captureLog()
  stop = new AbortController()
})

afterEach(() => stop.abort())

async function settings(...flags: readonly string[]): Promise<Settings> {
  const parsed = await parseArguments('run', flags, () => Promise.reject(new Error('no file here')))
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
  return parsed.settings
}

function healthy(): Health {
  const health = new Health(clock, { overdueMs: 60_000, silentMs: 300_000, stuckMs: 3_600_000 }, () => undefined)
  health.expect('ipv4')
  health.record(report({ startedAt: clock.now() }))
  return health
}

/** Waits for the words in the log. */
async function said(words: string): Promise<void> {
  await expect.poll(() => heard.lines.find(line => line.includes(words)), { interval: 5 }).toBeDefined()
}

describe('the health server', () => {
  test('answers on /healthz and /livez, in both families, and counts its answers', async () => {
    const port = await freePort()
    const probed: string[] = []
    const parts = { health: healthy(), clock, log: heard.log, signal: stop.signal }
    const onAnswer = (path: string, status: number) => probed.push(`${path} ${status}`)
    const served = serveHealth({
      ...parts,
      settings: await settings(`--healthz-bind-address=0.0.0.0:${port}`),
      probed: onAnswer,
    })
    await said('Starting healthz HTTP server')
    expect(await ask(port, '/livez')).toMatchObject({ status: 200 })
    const { status, headers, body } = await ask(port, '/healthz', HAS_IPV6 ? '[::1]' : undefined)
    expect([status, headers.get('content-type'), headers.get('x-content-type-options')]).toEqual([
      503,
      'application/json',
      'nosniff',
    ])
    expect(JSON.parse(body)).toMatchObject({ nodeEligible: false, healthy: true })
    expect(await ask(port, '/')).toMatchObject({ status: 404, body: '404 page not found\n' })
    expect(probed).toEqual(['livez 200', 'healthz 503'])
    stop.abort()
    await served
    await expect(ask(port, '/livez')).rejects.toThrow()
  })

  test('an empty address turns it off', async () => {
    const off = await settings('--healthz-bind-address=')
    expect(off.healthz).toBeUndefined()
    await serveHealth({ settings: off, health: healthy(), clock, log: heard.log, signal: stop.signal })
    expect(heard.lines).toEqual([])
  })

  test('listens only at the configured address', async () => {
    const port = await freePort()
    const here = await settings(`--healthz-bind-address=127.0.0.1:${port}`)
    const served = serveHealth({ settings: here, health: healthy(), clock, log: heard.log, signal: stop.signal })
    await said('Starting healthz HTTP server')
    expect((await ask(port, '/livez')).status).toBe(200)
    await expect(ask(port, '/livez', '[::1]')).rejects.toThrow()
    stop.abort()
    await served
  })
})

describe('the metrics server', () => {
  async function serve(...flags: readonly string[]): Promise<void> {
    return serveMetrics({
      settings: await settings(...flags),
      shown: SHOWN,
      clock,
      log: heard.log,
      signal: stop.signal,
    })
  }

  test('serves its pages, and 404 elsewhere', async () => {
    const port = await freePort()
    const served = serve(`--metrics-bind-address=127.0.0.1:${port}`)
    await said('Starting metrics HTTP server')
    expect(await ask(port, '/metrics')).toMatchObject({ status: 200, body: 'up 1\n' })
    expect(await ask(port, '/proxyMode')).toMatchObject({ status: 200, body: 'nftables' })
    const { status, headers, body } = await ask(port, '/')
    expect([status, headers.get('x-content-type-options'), body]).toEqual([404, 'nosniff', '404 page not found\n'])
    stop.abort()
    await served
  })

  test('an empty address turns it off', async () => {
    await serve('--metrics-bind-address=')
    expect(heard.lines).toEqual([])
  })

  test('a port that is taken is tried again every five seconds, and each time that is said', async () => {
    const occupied = await occupyPort({ port: 0, host: '127.0.0.1' })
    const served = serve(`--metrics-bind-address=127.0.0.1:${occupied.port}`)
    await said('Metrics server failed')
    expect(heard.lines[0]).toContain(`127.0.0.1:${occupied.port}: listen EADDRINUSE`)
    await expect.poll(() => clock.sleepers).toBe(1)
    await clock.advance(5000)
    await expect.poll(() => heard.lines.length).toBe(2)
    await occupied.release()
    await expect.poll(() => clock.sleepers).toBe(1)
    await clock.advance(5000)
    await said('Starting metrics HTTP server')
    expect((await ask(occupied.port, '/metrics')).body).toBe('up 1\n')
    stop.abort()
    await served
  })

  test('it is the end where that was asked for', async () => {
    const occupied = await occupyPort({ port: 0, host: '127.0.0.1' })
    const at = `--metrics-bind-address=127.0.0.1:${occupied.port}`
    await expect(serve(at, '--bind-address-hard-fail')).rejects.toThrow('metrics server failed')
    await occupied.release()
  })
})
