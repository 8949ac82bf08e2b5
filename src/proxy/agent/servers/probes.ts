import type { Settings } from '#config/settings.ts'
import type { Clock } from '#system/ports.ts'
import { configuredWhere, serveUntilAborted } from '#system/serving.ts'
import { type HttpAnswer, PAGE_NOT_FOUND } from '#system/sockets.ts'
import type { Health, HealthAnswer } from '#telemetry/health.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { hostPort } from '#values/address.ts'

// Health → /healthz and /livez on the port that load balancers and probes ask.

export interface ProbeParts {
  readonly settings: Settings
  readonly health: Health
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  /** Called after every answer. */
  readonly probed?: (path: Probe, status: number) => void
}

export type Probe = 'healthz' | 'livez'

/** Serves until the signal aborts; rejects only where bindAddressHardFail is set and the port cannot be opened. */
export async function serveHealth({ settings, health, clock, log, signal, probed }: ProbeParts): Promise<void> {
  const { healthz: at } = settings
  if (at === undefined) return
  await serveUntilAborted({
    at: configuredWhere(at),
    answer: ({ path }) => answerProbe(health, path, probed),
    clock,
    signal,
    opened: port => log.info(3, 'Starting healthz HTTP server', { address: hostPort(at.host, port) }),
    failed: cause => {
      const error = new Error(`failed to start proxy healthz on ${hostPort(at.host, at.port)}`, { cause })
      if (settings.bindAddressHardFail) throw new Error('healthz server failed', { cause: error })
      log.error('Healthz server failed', error)
    },
  })
}

export function answerProbe(health: Health, path: string, probed?: ProbeParts['probed']): HttpAnswer {
  const name = path === '/healthz' ? 'healthz' : path === '/livez' ? 'livez' : undefined
  if (name === undefined) return PAGE_NOT_FOUND
  const answer = health[name]()
  probed?.(name, answer.status)
  return asHttp(answer)
}

function asHttp({ status, body }: HealthAnswer): HttpAnswer {
  return { status, headers: { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' }, body }
}
