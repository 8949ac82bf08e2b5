import { apiSource } from '../api/api-source.ts'
import { credentialsFrom } from '../api/credentials.ts'
import { type ApiStats, freshStats } from '../api/stats.ts'
import { nodeName } from '../config/settings.ts'
import { systemClock } from '../system/clock.ts'
import { readText } from '../system/files.ts'
import { environment, hostName } from '../system/host.ts'
import { hostKernel } from '../system/kernel.ts'
import { onSignals } from '../system/signals.ts'
import { Agent } from './agent.ts'
import { serveHealth } from './probes.ts'
import { type Begun, start } from './start.ts'
import { tellNews } from './telling.ts'

// run: the API server in, the real kernel out. What kube-proxy does.

export function main(argv: readonly string[]): Promise<number> {
  return start('run', argv, run)
}

async function run({ settings, log }: Begun): Promise<number> {
  const clock = systemClock
  const kernel = hostKernel()
  const stop = new AbortController()
  const name = nodeName(settings, hostName())
  const { kubeconfig, master } = settings
  if (kubeconfig === undefined && master === undefined) {
    log
      .at('run.ts:1')
      .info(0, 'Neither kubeconfig file nor master URL was specified, falling back to in-cluster config')
  }
  const api = { ...(kubeconfig !== undefined && { kubeconfig }), ...(master !== undefined && { master }) }
  const credentials = await credentialsFrom({ ...api, env: environment(), files: { readText }, kernel, clock })
  const stats = freshStats()
  const tell = tellNews(log)
  const source = apiSource({ credentials, clock, nodeName: name, random: Math.random, tell, stats })
  const agent = await Agent.open({
    settings,
    nodeName: name,
    kernel,
    clock,
    log,
    source,
    lastHeard: () => lastHeard(stats),
  })
  const signals = onSignals({ SIGTERM: () => stop.abort(), SIGINT: () => stop.abort(), SIGHUP: () => agent.distrust() })
  const probes = serveHealth({ settings, health: agent.health, clock, log, signal: stop.signal })
  await Promise.all([agent.run(stop.signal), probes])
  await kernel.idle()
  signals.off()
  return 0
}

/** One watch that has fallen silent is enough for our picture to be old. */
export function lastHeard(stats: ApiStats): number {
  return Math.min(...Object.values(stats).map(({ lastActivityAt }) => lastActivityAt))
}
