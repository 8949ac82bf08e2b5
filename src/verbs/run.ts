import { hostname } from 'node:os'
import { credentialsFrom } from '../api/credentials.ts'
import { apiSource } from '../api/source.ts'
import { nodeName, type Settings } from '../config/settings.ts'
import { systemClock } from '../system/clock.ts'
import { readText } from '../system/files.ts'
import { hostKernel } from '../system/kernel.ts'
import { onSignals } from '../system/signals.ts'
import type { Log } from '../telemetry/klog.ts'
import { Agent } from './agent.ts'
import { serveHealth } from './probes.ts'
import { start } from './start.ts'
import { tellNews } from './telling.ts'

// run: the API server in, the real kernel out. What kube-proxy does.

export function main(argv: readonly string[]): Promise<number> {
  return start('run', argv, run)
}

async function run(settings: Settings, log: Log): Promise<number> {
  const clock = systemClock
  const kernel = hostKernel()
  const stop = new AbortController()
  const name = nodeName(settings, hostname())
  const { kubeconfig, master } = settings
  if (kubeconfig === undefined && master === undefined) {
    log
      .at('run.ts:1')
      .info(0, 'Neither kubeconfig file nor master URL was specified, falling back to in-cluster config')
  }
  const credentials = await credentialsFrom({
    kubeconfig,
    master,
    env: process.env,
    files: { readText },
    kernel,
    clock,
  })
  const api = apiSource({ credentials, clock, nodeName: name, random: Math.random, tell: news => tellNews(log, news) })
  const agent = await Agent.open({
    settings,
    nodeName: name,
    kernel,
    clock,
    log,
    source: api.source,
    lastHeard: api.lastHeard,
  })
  const probes = serveHealth({ settings, health: agent.health, clock, log, signal: stop.signal })
  const signals = onSignals({
    SIGTERM: () => stop.abort(),
    SIGINT: () => stop.abort(),
    SIGHUP: () => agent.distrust(),
  })
  await agent.run(stop.signal)
  await kernel.idle()
  await probes
  signals.off()
  return 0
}
