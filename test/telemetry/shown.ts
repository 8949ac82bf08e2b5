import type { Shown } from '#telemetry/server.ts'
import { Slis } from '#telemetry/slis.ts'

// What the metrics server of a test shows.

export const SHOWN: Shown = {
  metrics: () => 'up 1\n',
  slis: new Slis(0),
  refused: () => [],
  mode: 'nftables',
  configuration: {},
  flags: new Map(),
  version: 'v1',
  runtime: 'Node',
  startedAt: 0,
  now: () => 0,
}
