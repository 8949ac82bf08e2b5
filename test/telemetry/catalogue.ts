import { vi } from 'vitest'
import { type MetricOptions, Registry } from '#telemetry/exposition.ts'
import { Metrics } from '#telemetry/metrics.ts'
import { addressesText } from '#telemetry/numbers/addresses.ts'
import { LeakMetrics } from '#telemetry/numbers/leaks.ts'
import { NodeRangesMetrics } from '#telemetry/numbers/node-ranges.ts'
import { NodejsMetrics } from '#telemetry/numbers/nodejs.ts'
import { PodsMetrics } from '#telemetry/numbers/pods.ts'
import { RouteMetrics } from '#telemetry/numbers/routes.ts'
import { Slis } from '#telemetry/slis.ts'

// Every metric that a program has, as its registries are given them.

export interface ListedMetric {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly labels: readonly string[]
  readonly help: string
}

/** The files with a registry in them, from src/ on. */
export const makersOfMetrics: readonly string[] = [
  'telemetry/metrics.ts',
  'telemetry/slis.ts',
  ...['addresses', 'leaks', 'node-ranges', 'nodejs', 'pods', 'routes'].map(name => `telemetry/numbers/${name}.ts`),
]

const MAKERS = {
  proxy: () => {
    new Metrics({ now: () => 0, startedAt: 0, build: { version: '', node: '', mode: '' } })
    new Slis(0)
    new NodejsMetrics('')
  },
  pods: () => {
    new PodsMetrics({ version: '', node: '', startedAt: 0 })
    addressesText([])
    new LeakMetrics()
    new RouteMetrics()
    new NodejsMetrics('')
  },
  ranges: () => {
    new NodeRangesMetrics({ version: '', node: '', startedAt: 0, lease: '' })
    new NodejsMetrics('')
  },
}

export function catalogue(program: keyof typeof MAKERS): readonly ListedMetric[] {
  const found = new Map<string, ListedMetric>()
  const note = (type: ListedMetric['type'], { name, help, labels = [] }: MetricOptions<string>): void => {
    found.set(name, { name, type, labels, help })
  }
  const { counter, gauge, histogram } = Registry.prototype
  const spies = [
    vi.spyOn(Registry.prototype, 'counter').mockImplementation(function (this: Registry, about) {
      note('counter', about)
      return counter.call(this, about)
    }),
    vi.spyOn(Registry.prototype, 'gauge').mockImplementation(function (this: Registry, about) {
      note('gauge', about)
      return gauge.call(this, about)
    }),
    vi.spyOn(Registry.prototype, 'histogram').mockImplementation(function (this: Registry, buckets, about) {
      note('histogram', about)
      return histogram.call(this, buckets, about)
    }),
  ]
  try {
    MAKERS[program]()
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}
