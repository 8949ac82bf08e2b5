import { expect } from 'vitest'
import { servePages } from '#cni/daemon/pages.ts'
import type { Settings } from '#config/settings.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { serveMetrics } from '#proxy/agent/servers/metrics-server.ts'
import { serveHealth } from '#proxy/agent/servers/probes.ts'
import { Health } from '#telemetry/health.ts'
import { accepted, settings } from '../config/parsing.ts'
import { AgentStage } from '../page/agent-stage.ts'
import { captureLog } from '../support/captured-log.ts'
import { freePort, occupyPort } from '../support/local-ports.ts'
import { SHOWN } from '../telemetry/shown.ts'
import type { Effects } from './effect.ts'

// Where the two servers answer, and whether they do: on real ports of this machine.

export const SERVERS: Effects = {
  'healthz-bind-address': async () => {
    const port = await freePort()
    expect(await open(`--healthz-bind-address=127.0.0.1:${port}`)).toContain(`healthz 127.0.0.1:${port}`)
    expect(await open('--healthz-bind-address=')).not.toMatch(/healthz/)
  },
  'metrics-bind-address': async () => {
    const port = await freePort()
    expect(await open(`--metrics-bind-address=127.0.0.1:${port}`)).toContain(`metrics 127.0.0.1:${port}`)
    expect(await open('--metrics-bind-address=')).not.toMatch(/metrics/)
  },
  'healthz-port': async () => {
    const port = await freePort()
    const at = '--healthz-bind-address=127.0.0.1'
    expect(await open(at, `--healthz-port=${port}`)).toContain(`healthz 127.0.0.1:${port}`)
    expect(await open(at, '--healthz-port=0')).not.toMatch(/healthz/)
  },
  'metrics-port': async () => {
    const port = await freePort()
    const at = '--metrics-bind-address=127.0.0.1'
    expect(await open(at, `--metrics-port=${port}`)).toContain(`metrics 127.0.0.1:${port}`)
    expect(await open(at, '--metrics-port=0')).not.toMatch(/metrics/)
  },
  'pods-metrics-bind-address': async () => {
    const port = await freePort()
    const at = await podsMetrics(`127.0.0.1:${port}`)
    const stop = new AbortController()
    const { log, lines } = captureLog()
    const shown = { metrics: () => Promise.resolve(''), trouble: () => Promise.resolve(undefined) }
    const serving = servePages({ at, shown, clock: new PaperClock(), log, signal: stop.signal })
    await expect.poll(() => lines.join('')).toContain(`127.0.0.1:${port}`)
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
    stop.abort()
    await serving
    expect(await podsMetrics('')).toBeUndefined()
  },
  page: async () => {
    const port = await freePort()
    const at = `--metrics-bind-address=127.0.0.1:${port}`
    expect(await pageAt(port, at)).toBe(200)
    expect(await pageAt(port, at, '--page=off')).toBe(404)
    expect(await pageAt(port, `--metrics-bind-address=0.0.0.0:${port}`)).toBe(404)
    expect(await pageAt(port, `--metrics-bind-address=0.0.0.0:${port}`, '--page=on')).toBe(200)
  },
  profiling: async () => {
    const port = await freePort()
    expect(await answerAt(port, '/debug/pprof/', '--profiling')).toBe(200)
    expect(await answerAt(port, '/debug/pprof/')).toBe(404)
  },
  'bind-address-hard-fail': async () => {
    const occupied = await occupyPort({ port: 0, host: '127.0.0.1' })
    const at = `--metrics-bind-address=127.0.0.1:${occupied.port}`
    try {
      await expect(open(at, '--bind-address-hard-fail')).rejects.toThrow('metrics server failed')
      expect(await open(at)).toContain('metrics failed')
    } finally {
      await occupied.release()
    }
  },
}

/** What the agent answers where its page would be. */
function pageAt(port: number, ...flags: readonly string[]): Promise<number> {
  return answerAt(port, '/', ...flags)
}

async function answerAt(port: number, path: string, ...flags: readonly string[]): Promise<number> {
  const stage = await AgentStage.open({ port, flags })
  try {
    return (await fetch(`http://127.0.0.1:${port}${path}`)).status
  } finally {
    await stage.close()
  }
}

/** What the servers say of where they listen, once both have said something or turned out to be off. */
async function open(...flags: readonly string[]): Promise<string> {
  const { log, lines } = captureLog()
  const stop = new AbortController()
  const clock = new PaperClock()
  const health = new Health(clock, { overdueMs: 1, silentMs: 1, stuckMs: 1 }, () => undefined)
  const parts = { settings: await settings(...(await elsewhere(flags))), clock, log, signal: stop.signal }
  const served = [serveHealth({ ...parts, health }), serveMetrics({ ...parts, shown: SHOWN })]
  const expected = [parts.settings.healthz, parts.settings.metrics].filter(at => at !== undefined).length
  try {
    const spoken = expect.poll(() => lines.length, { interval: 5 }).toBe(expected)
    await Promise.race([spoken, ...served.map(one => one.then(() => spoken))])
  } finally {
    stop.abort()
    await Promise.allSettled(served)
  }
  return lines
    .map(line => line.replace(/^"Starting (\w+) HTTP server" address="(.*)"$/, '$1 $2'))
    .map(line => line.replace(/^"Metrics server failed" .*/, 'metrics failed'))
    .join('\n')
}

/** The server that no flag names gets a free port: another program may use the usual one here. */
async function elsewhere(flags: readonly string[]): Promise<readonly string[]> {
  const spoken = (server: string): boolean => flags.some(flag => flag.startsWith(`--${server}-`))
  const others = ['healthz', 'metrics'].filter(server => !spoken(server))
  return [
    ...flags,
    ...(await Promise.all(others.map(async one => `--${one}-bind-address=127.0.0.1:${await freePort()}`))),
  ]
}

async function podsMetrics(at: string): Promise<Settings['podsMetrics']> {
  const { settings } = await accepted({ verb: 'pods', argv: [`--pods-metrics-bind-address=${at}`] })
  return settings.podsMetrics
}
