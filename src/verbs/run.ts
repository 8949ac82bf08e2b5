import { type Invocation, start } from '#command-line/start.ts'
import { VERSION } from '#command-line/version.ts'
import { nodeName } from '#config/settings.ts'
import { openProxy, type RunningProxy, runProxy } from '#proxy/agent/composition.ts'
import { watchConfiguration } from '#proxy/agent/config-watch.ts'
import { openRulesetWatch } from '#proxy/agent/ruleset-watch.ts'
import { serveLocalQuestions } from '#proxy/agent/servers/local-server.ts'
import { tune } from '#proxy/node/tuning.ts'
import { answering, hasSystemTools } from '#system/answers/answering.ts'
import { systemClock } from '#system/clock.ts'
import { readText } from '#system/files.ts'
import { collectEarly } from '#system/heap.ts'
import { cpuCount, environment, hostName } from '#system/host.ts'
import { bootId, keepIn } from '#system/kept-files.ts'
import { netlinkFlows } from '#system/network/netlink-flows.ts'
import { follow } from '#system/processes/children.ts'
import { type HostKernel, hostKernel } from '#system/processes/kernel.ts'
import { onSignals } from '#system/signals.ts'
import { watchFile } from '#system/watch-files.ts'

// run: the API server in, the real kernel out. What kube-proxy does.

export function main(argv: readonly string[]): Promise<number> {
  return start('run', argv, async invocation => {
    if (invocation.action === 'cleanup') return (await import('./cleanup.ts')).cleanup(invocation)
    if (invocation.action === 'init-only') return initOnly(invocation)
    collectEarly()
    const stop = new AbortController()
    const kernel = answering(hostKernel())
    let opening: Promise<RunningProxy> | undefined
    const end = (): void => stop.abort(ENDED_BY_SIGNAL)
    // From the first moment: a signal while the agent starts must not kill it in the middle of a command.
    const signals = onSignals({
      SIGTERM: end,
      SIGINT: end,
      SIGHUP: () =>
        void opening?.then(
          ({ agent }) => agent.distrust(),
          () => {},
        ),
    })
    try {
      opening = open(invocation, kernel, stop.signal)
      const running = opening.then(async proxy => {
        const { signal } = stop
        const { agent } = proxy
        const asked = { ...invocation, nodeName: nodeName(invocation.settings, hostName()), agent, signal }
        await runProxy(proxy, stop, [
          watchOwnConfiguration(invocation, argv, signal),
          ...(hasSystemTools() ? [serveLocalQuestions(asked)] : []),
        ])
        return 0
      })
      return await Promise.race([withLastCommand(running, kernel, stop), outOfPatience(stop.signal)])
    } finally {
      signals.off()
    }
  })
}

const ENDED_BY_SIGNAL = new Error('ended by a signal')

/** In the words of kube-proxy. */
async function initOnly({ settings, log }: Invocation): Promise<number> {
  const { setup } = await import('./setup.ts')
  await setup({ settings, log, kernel: answering(hostKernel()) })
  log.info(0, 'System initialized and --init-only specified')
  return 0
}

/** All parts end together, also where one could not start; the command that runs then is let finish. */
async function withLastCommand(running: Promise<number>, kernel: HostKernel, stop: AbortController): Promise<number> {
  return running.finally(() => {
    stop.abort(ENDED_BY_SIGNAL)
    return kernel.idle()
  })
}

/** The agent exits although a command still runs: it goes on alone, and each of its transactions is carried out whole or not at all. */
async function outOfPatience(signal: AbortSignal): Promise<number> {
  await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  await systemClock.sleep(PATIENCE_MS)
  if (signal.reason !== ENDED_BY_SIGNAL) throw signal.reason
  return 0
}

/** A SIGTERM ends the agent within five seconds. */
const PATIENCE_MS = 4000

/** Beside the lock of iptables, on the host where a DaemonSet mounts it. */
const KEPT = '/run/switchyard'

async function open(invocation: Invocation, kernel: HostKernel, signal: AbortSignal): Promise<RunningProxy> {
  const { settings, log } = invocation
  const hostname = hostName()
  // Tools that stand in for the system's commit nothing and track nothing: what the kernel says is not of what they were given.
  const boot = hasSystemTools() ? await bootId() : undefined
  const flows = hasSystemTools() ? netlinkFlows() : undefined
  return openProxy(
    invocation,
    {
      nodeName: nodeName(settings, hostname),
      hostname,
      kernel,
      follow,
      flows,
      rulesetWatch: openRulesetWatch({ clock: systemClock, follow }),
      podViews: async () => (await import('#cni/daemon/page/lease-views.ts')).leaseViews({ clock: systemClock }),
      ...(boot !== undefined && { keeping: { keep: keepIn(KEPT), identity: [VERSION, boot] } }),
      access: { ...apiAddress(invocation), env: environment(), files: { readText }, kernel },
      clock: systemClock,
      prepare: () => tune({ settings, kernel, log, cpus: cpuCount(), pid: process.pid }),
    },
    signal,
  )
}

function apiAddress({ settings: { kubeconfig, master }, log }: Invocation) {
  if (kubeconfig === undefined && master === undefined) {
    log.info(0, 'Neither kubeconfig file nor master URL was specified, falling back to in-cluster config')
  }
  return { ...(kubeconfig !== undefined && { kubeconfig }), ...(master !== undefined && { master }) }
}

/** A change of the configuration file ends the agent; without such a file this never ends it. */
async function watchOwnConfiguration(
  invocation: Invocation,
  argv: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { configFile: file } = invocation.settings
  if (file === undefined) return
  await watchConfiguration({ ...invocation, file, argv, clock: systemClock, signal, readFile: readText, watchFile })
}
