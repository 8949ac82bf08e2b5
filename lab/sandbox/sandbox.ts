import type { Invocation } from '#command-line/start.ts'
import type { Settings } from '#config/settings.ts'
import { startApiServer } from '#lab/api-server/server.ts'
import { namespacePath, sweep, within } from '#lab/network/namespaces.ts'
import { RelayClient } from '#lab/network/relay/relay-client.ts'
import { type EnsureOptions, ensurePrograms } from '#lab/packages.ts'
import { openProxy, runProxy } from '#proxy/agent/composition.ts'
import { openRulesetWatch } from '#proxy/agent/ruleset-watch.ts'
import { systemClock } from '#system/clock.ts'
import { readText } from '#system/files.ts'
import { print } from '#system/output.ts'
import type { Follow } from '#system/ports.ts'
import { follow } from '#system/processes/children.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { onSignals } from '#system/signals.ts'
import { parseCidr } from '#values/cidr.ts'
import { openSeedLab, SEED_NODE, SEED_OBJECTS } from './seed.ts'
import { type Sandbox, showAround } from './tour.ts'

// What `npm start` runs: a node in namespaces of its own, a small API server, the real agent between them; rules in the
// real kernel, real packets through them, and nothing left behind.

export async function sandbox(invocation: Invocation, { install }: Pick<EnsureOptions, 'install'>): Promise<number> {
  if (process.getuid?.() !== 0)
    throw new Error('the sandbox makes network namespaces, so it must run as root: try sudo npm start')
  const kernel = hostKernel()
  const ensured = await ensurePrograms(kernel, ['ip', 'iptables', 'ip6tables', 'conntrack'], {
    install,
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
    await stay({ invocation: { ...invocation, settings: atHome(invocation.settings) }, kernel, lab, api, stop })
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

async function stay(sandbox: Sandbox): Promise<void> {
  const { invocation, kernel, lab, api, stop } = sandbox
  const { namespace } = lab.node
  const followThere: Follow = (argv, onLine) => follow(within(namespace, argv), onLine)
  const ends = {
    nodeName: SEED_NODE,
    hostname: SEED_NODE,
    kernel: lab.node.kernel,
    follow: followThere,
    rulesetWatch: openRulesetWatch({
      clock: systemClock,
      follow: followThere,
      namespace: namespacePath(namespace),
    }),
    access: { master: api.url, env: {}, files: { readText }, kernel },
    clock: systemClock,
    // The namespace's own sysctls are as the lab made them; those of the machine stay as they are.
    prepare: async () => {},
    relayOf: (options: ConstructorParameters<typeof RelayClient>[1]) => new RelayClient(namespace, options),
  }
  const proxy = await openProxy(invocation, ends, stop.signal)
  const { agent } = proxy
  const ready = Promise.withResolvers<void>()
  agent.observe({ reported: () => agent.health.healthy && ready.resolve() })
  const running = runProxy(proxy, stop)
  stop.signal.addEventListener('abort', () => ready.resolve())
  await Promise.race([ready.promise, running])
  if (!stop.signal.aborted) await showAround(sandbox)
  await running
}
