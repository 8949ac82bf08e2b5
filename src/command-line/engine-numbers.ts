import { Engine } from '#system/engine.ts'
import { NodejsMetrics } from '#telemetry/numbers/nodejs.ts'

// Node, as the verbs that run until they are stopped show it on /metrics: looked at when the page is asked for, and between
// pages only collections of garbage are counted.

export function engineNumbers(): () => string {
  const engine = new Engine()
  const metrics = new NodejsMetrics(process.version)
  engine.collections((kind, tookMs) => metrics.collected(kind, tookMs))
  return () => {
    engine.lag(ms => metrics.lagged(ms))
    return metrics.text(engine.look())
  }
}
