import type { Settings } from '../config/settings.ts'
import type { Clock } from '../system/ports.ts'
import { type HttpAnswer, type Listening, serveHttp } from '../system/sockets.ts'
import type { Answer, Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/klog.ts'

// Health → /healthz and /livez on the port that load balancers and probes ask.

export interface ProbeParts {
  readonly settings: Settings
  readonly health: Health
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

const RETRY_MS = 5000
/** Means every address of both families, as in Go: some probes come over IPv6. */
const EVERYWHERE = '0.0.0.0'

/** Serves until the signal aborts. A port that is taken is tried again: losing probes is bad, losing the proxy is worse. */
export async function serveHealth({ settings, health, clock, log, signal }: ProbeParts): Promise<void> {
  const { healthz: at } = settings
  if (at === undefined) return
  while (!signal.aborted) {
    try {
      const host = at.host !== EVERYWHERE && { host: at.host }
      const server = await serveHttp({ port: at.port, ...host }, ({ path }) => answerProbe(health, path))
      log.at('probes.ts:1').info(3, 'Starting healthz HTTP server', { address: `${at.host}:${server.port}` })
      return await closeOn(signal, server)
    } catch (error) {
      log.at('probes.ts:1').error('Healthz server failed', error, { address: `${at.host}:${at.port}` })
      if (settings.bindAddressHardFail) throw error
      await clock.sleep(RETRY_MS, signal)
    }
  }
}

export function answerProbe(health: Health, path: string): HttpAnswer {
  if (path === '/healthz') return asHttp(health.healthz())
  if (path === '/livez') return asHttp(health.livez())
  return { status: 404, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: '404 page not found\n' }
}

function asHttp({ status, body }: Answer): HttpAnswer {
  return { status, headers: { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' }, body }
}

async function closeOn(signal: AbortSignal, server: Listening): Promise<void> {
  if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  await server.close()
}
