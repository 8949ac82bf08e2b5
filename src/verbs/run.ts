import { type Invocation, start } from '#command-line/start.ts'
import { nodeName } from '#config/settings.ts'
import { openProxy, type RunningProxy, runProxy } from '#proxy/agent/composition.ts'
import { watchConfiguration } from '#proxy/agent/config-watch.ts'
import { tune } from '#proxy/node/tuning.ts'
import { systemClock } from '#system/clock.ts'
import { readText } from '#system/files.ts'
import { cpuCount, environment, hostName } from '#system/host.ts'
import { follow } from '#system/processes/children.ts'
import { type HostKernel, hostKernel } from '#system/processes/kernel.ts'
import { onSignals } from '#system/signals.ts'
import { watchFile } from '#system/watch-files.ts'

// run: the API server in, the real kernel out. What kube-proxy does.

export function main(argv: readonly string[]): Promise<number> {
  return start('run', argv, async invocation => {
    if (invocation.action === 'cleanup') return (await import('./cleanup.ts')).cleanup(invocation)
    if (invocation.action === 'init-only') return (await import('./setup.ts')).setup(invocation)
    const stop = new AbortController()
    const kernel = hostKernel()
    let begins: Promise<RunningProxy> | undefined
    const end = (): void => stop.abort(TOLD)
    // From the first moment: who is told to go while they come must not be killed half way.
    const signals = onSignals({
      SIGTERM: end,
      SIGINT: end,
      SIGHUP: () =>
        void begins?.then(
          ({ agent }) => agent.distrust(),
          () => {},
        ),
    })
    try {
      begins = begin(invocation, kernel, stop.signal)
      const running = begins.then(async proxy => {
        await runProxy(proxy, stop, [keepConfiguration(invocation, argv, stop.signal)])
        return 0
      })
      return await Promise.race([lastCommand(running, kernel, stop), outOfPatience(stop.signal)])
    } finally {
      signals.off()
    }
  })
}

const TOLD = new Error('told to go')

/** Whatever was invocation ends with us, also where we could not start; the command that runs is let finish. */
async function lastCommand(running: Promise<number>, kernel: HostKernel, stop: AbortController): Promise<number> {
  return running.finally(() => {
    stop.abort(TOLD)
    return kernel.idle()
  })
}

/** A command that takes longer than anybody waits for us goes on alone: each of its transactions is carried out whole or not at all. */
async function outOfPatience(signal: AbortSignal): Promise<number> {
  await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
  await systemClock.sleep(PATIENCE_MS)
  if (signal.reason !== TOLD) throw signal.reason
  return 0
}

/** Five seconds are promised. */
const PATIENCE_MS = 4000

async function begin(invocation: Invocation, kernel: HostKernel, signal: AbortSignal): Promise<RunningProxy> {
  const { settings, log } = invocation
  const hostname = hostName()
  return openProxy(
    invocation,
    {
      nodeName: nodeName(settings, hostname),
      hostname,
      kernel,
      follow,
      access: { ...apiPlace(invocation), env: environment(), files: { readText }, kernel },
      clock: systemClock,
      prepare: () => tune({ settings, kernel, log, cpus: cpuCount(), pid: process.pid }),
    },
    signal,
  )
}

function apiPlace({ settings: { kubeconfig, master }, log }: Invocation) {
  if (kubeconfig === undefined && master === undefined) {
    log.info(0, 'Neither kubeconfig file nor master URL was specified, falling back to in-cluster config')
  }
  return { ...(kubeconfig !== undefined && { kubeconfig }), ...(master !== undefined && { master }) }
}

/** A change of the file we were configured by ends us; without such a file nothing ever does. */
async function keepConfiguration(invocation: Invocation, argv: readonly string[], signal: AbortSignal): Promise<void> {
  const { configFile: file } = invocation.settings
  if (file === undefined) return
  await watchConfiguration({ ...invocation, file, argv, clock: systemClock, signal, readFile: readText, watchFile })
}
