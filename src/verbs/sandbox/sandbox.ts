import { apiSource } from '#api/api-source.ts'
import { credentialsFrom } from '#api/credentials.ts'
import { freshStats } from '#api/stats.ts'
import type { Settings } from '#config/settings.ts'
import { follow } from '#system/children.ts'
import { systemClock } from '#system/clock.ts'
import { readText } from '#system/files.ts'
import { type HostKernel, hostKernel } from '#system/kernel.ts'
import { print } from '#system/output.ts'
import { onSignals } from '#system/signals.ts'
import type { Log } from '#telemetry/klog.ts'
import { parseCidr } from '#values/cidr.ts'
import { Agent } from '#verbs/agent.ts'
import { dataPlane } from '#verbs/data-plane.ts'
import { serveHealth } from '#verbs/probes.ts'
import { extraKinds, lastHeard } from '#verbs/run.ts'
import { type Begun, start } from '#verbs/start.ts'
import { tellNews } from '#verbs/telling.ts'
import { type ApiServer, startApiServer } from './api-server.ts'
import type { Lab } from './lab.ts'
import { sweep, within } from './namespaces.ts'
import { ensurePrograms } from './packages.ts'
import { RelayClient } from './relay-client.ts'
import { openSeedLab, SEED_NODE, SEED_OBJECTS } from './seed.ts'
import { showAround } from './tour.ts'

// sandbox: what `npm start` runs. A node in namespaces of its own, a small API server, the real agent between them; rules
// in the real kernel, real packets through them, and nothing left behind.

export function main(argv: readonly string[]): Promise<number> {
  return start('sandbox', argv, sandbox)
}

async function sandbox({ settings, log }: Begun): Promise<number> {
  if (process.getuid?.() !== 0)
    throw new Error('the sandbox makes network namespaces, so it must run as root: try sudo npm start')
  const kernel = hostKernel()
  const ensured = await ensurePrograms(kernel, ['ip', 'iptables', 'ip6tables', 'conntrack'], {
    install: settings.mayInstall ? 'if-missing' : 'never',
    say: print,
  })
  if (!ensured.ok) throw new Error(ensured.problem)
  await sweep(kernel)
  const stop = new AbortController()
  const signals = onSignals({ SIGINT: () => stop.abort(), SIGTERM: () => stop.abort() })
  const lab = await openSeedLab(kernel)
  const api = await startApiServer()
  try {
    for (const object of SEED_OBJECTS) api.store.put(object)
    await stay({ settings: atHome(settings), log, kernel, lab, api, stop })
    return 0
  } finally {
    await api.close()
    await lab.close()
    signals.off()
    print('Stopped. Nothing is left behind.')
  }
}

/** What a cluster with this pod network would have in its configuration. */
function atHome(settings: Settings): Settings {
  const clusterCIDRs = ['10.244.0.0/16', 'fd00:244::/32'].map(text => parseCidr(text)!)
  return { ...settings, clusterCIDRs: settings.clusterCIDRs.length > 0 ? settings.clusterCIDRs : clusterCIDRs }
}

export interface Sandbox {
  readonly settings: Settings
  readonly log: Log
  readonly kernel: HostKernel
  readonly lab: Lab
  readonly api: ApiServer
  readonly stop: AbortController
}

async function stay(sandbox: Sandbox): Promise<void> {
  const { settings, log, kernel, lab, api, stop } = sandbox
  const clock = systemClock
  const extras = extraKinds(settings)
  const stats = freshStats(extras)
  const credentials = await credentialsFrom({ master: api.url, env: {}, files: { readText }, kernel, clock })
  const tell = tellNews(log)
  const source = apiSource({ credentials, clock, nodeName: SEED_NODE, random: Math.random, tell, stats, extras })
  const ready = Promise.withResolvers<void>()
  const agent = await Agent.open({
    settings,
    nodeName: SEED_NODE,
    kernel: dataPlane({
      settings,
      kernel: lab.node.kernel,
      log,
      lost: () => agent.distrust(),
      signal: stop.signal,
      relayOf: options => new RelayClient(lab.node.namespace, options),
    }),
    follow: (argv, onLine) => follow(within(lab.node.namespace, argv), onLine),
    clock,
    log,
    source,
    lastHeard: () => lastHeard(stats),
    onReport: () => agent.health.healthy && ready.resolve(),
  })
  const probes = serveHealth({ settings, health: agent.health, clock, log, signal: stop.signal })
  const running = agent.run(stop.signal)
  stop.signal.addEventListener('abort', () => ready.resolve())
  await Promise.race([ready.promise, running])
  if (!stop.signal.aborted) await showAround(sandbox)
  await Promise.all([running, probes])
}
