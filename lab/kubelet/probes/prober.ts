import type { Clock } from '#system/ports.ts'
import type { Container } from '../pod/stands.ts'
import type { CarryOut, Check, CheckPlace } from './checks.ts'
import { counted, NO_COUNTS } from './probe-counts.ts'

// A container that runs, and its probes → whether it has started, is ready and is alive, for as long as it runs.

export interface ProberParts extends Omit<CheckPlace, 'signal'> {
  readonly clock: Clock
  /** Aborts when the container has ended, or was found dead. */
  readonly signal: AbortSignal
  /** Aborts when its pod ends: from then on only whether it is ready counts, for as long as it still serves. */
  readonly living: AbortSignal
  readonly on: ProberEvents
  readonly carryOut: CarryOut
}

export interface ProberEvents {
  started(): void
  ready(isReady: 'ready' | 'not ready'): void
  /** Its liveness probe, or its startup probe, has failed for good. */
  dead(kind: 'liveness' | 'startup'): void
  failed(kind: ProbeKind, why: string): void
}

export type ProbeKind = 'Readiness' | 'Liveness' | 'Startup'
type Probe = NonNullable<Container['livenessProbe']>

/** What holds from the start, without any probe having been carried out. */
export function atStart({ startupProbe, readinessProbe }: Container): { isStarted: boolean; isReady: boolean } {
  return { isStarted: startupProbe === undefined, isReady: startupProbe === undefined && readinessProbe === undefined }
}

export async function probeContainer(parts: ProberParts): Promise<void> {
  const { startupProbe, livenessProbe, readinessProbe } = parts.container
  const { on } = parts
  const living = { ...parts, signal: AbortSignal.any([parts.signal, parts.living]) }
  if (startupProbe !== undefined) {
    const verdict = await firstVerdict(startupProbe, living)
    if (living.signal.aborted) return
    if (verdict === 'failure') return on.dead('startup')
    on.started()
    if (readinessProbe === undefined) on.ready('ready')
  }
  const each: Promise<void>[] = []
  if (livenessProbe !== undefined)
    each.push(probing('Liveness', livenessProbe, living, verdict => verdict === 'failure' && on.dead('liveness')))
  if (readinessProbe !== undefined)
    each.push(
      probing('Readiness', readinessProbe, parts, verdict => on.ready(verdict === 'success' ? 'ready' : 'not ready')),
    )
  await Promise.all(each)
}

async function firstVerdict(probe: Probe, parts: ProberParts): Promise<'success' | 'failure'> {
  const done = new AbortController()
  const signal = AbortSignal.any([parts.signal, done.signal])
  let found: 'success' | 'failure' = 'failure'
  await probing('Startup', probe, { ...parts, signal }, verdict => {
    found = verdict
    done.abort()
  })
  return found
}

/** `changed` is called with each verdict that is another one than before. */
async function probing(
  kind: ProbeKind,
  probe: Probe,
  parts: ProberParts,
  changed: (verdict: 'success' | 'failure') => void,
): Promise<void> {
  const { clock, signal, on } = parts
  let counts = NO_COUNTS
  await clock.sleep((probe.initialDelaySeconds ?? 0) * 1000, signal)
  while (!signal.aborted) {
    const begun = clock.now()
    const why = await once(probe, parts)
    if (signal.aborted) return
    if (why !== undefined) on.failed(kind, why)
    const before = counts.verdict
    counts = counted(counts, why === undefined ? 'success' : 'failure', probe)
    if (counts.verdict !== before && counts.verdict !== 'unknown') changed(counts.verdict)
    await clock.sleep(Math.max(0, begun + (probe.periodSeconds ?? 10) * 1000 - clock.now()), signal)
  }
}

async function once(probe: Probe, parts: ProberParts): Promise<string | undefined> {
  const { clock } = parts
  const over = new AbortController()
  const late = new AbortController()
  const signal = AbortSignal.any([parts.signal, late.signal])
  void clock.sleep((probe.timeoutSeconds ?? 1) * 1000, over.signal).then(() => late.abort())
  try {
    return await parts.carryOut(probe as Check, { ...parts, signal })
  } finally {
    over.abort()
  }
}
