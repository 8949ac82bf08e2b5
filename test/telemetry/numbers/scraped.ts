import { PaperClock } from '#lab/paper/clock.ts'
import { type CurrentNumbers, Metrics } from '#telemetry/metrics.ts'
import type { RanCommand } from '#telemetry/numbers/tally.ts'

// The numbers of an agent whose clock is at 1000 s, and what a scraper reads of them.

const WATCH = {
  lastActivityAt: 2000,
  objects: 7,
  lists: 1,
  watches: 3,
  gone: 1,
  silences: 2,
  malformed: 0,
  failures: 4,
}

export const STANDING: CurrentNumbers = {
  watches: { Service: WATCH },
  lanes: (['ipv4', 'ipv6'] as const).map(family => ({
    family,
    noLocalEndpoints: { internal: 1, external: 0 },
    rules: { filter: 12, nat: 85 },
    lostClaims: 2,
    refused: 1,
    units: 40,
  })),
  healthChecks: { wanted: 3, open: 2 },
  vitals: { cpuSeconds: 1.5, residentBytes: 65_000_000, openFiles: 20, maxFiles: 1024, virtualBytes: 1e9 },
}

export const SAVE: RanCommand = {
  program: 'iptables-save',
  family: 'ipv4',
  does: 'look',
  tookMs: 5,
  code: 0,
  rules: {},
}
export const RESTORE: RanCommand = {
  ...SAVE,
  program: 'iptables-restore',
  does: 'restore',
  rules: { filter: 12, nat: 85 },
}

export class Scraped {
  readonly clock = new PaperClock(1_000_000)
  readonly metrics = new Metrics({
    now: () => this.clock.now(),
    startedAt: 900_000,
    build: { version: 'v1', node: 'v26', mode: 'iptables' },
  })

  text(): string {
    return this.metrics.text(STANDING)
  }

  /** The value of one series, as text. */
  value(series: string): string | undefined {
    const line = this.text()
      .split('\n')
      .find(it => it.startsWith(`${series} `))
    return line?.slice(series.length + 1)
  }
}
