import { apiSource } from '#api/api-source.ts'
import { credentialsFrom } from '#api/credentials.ts'
import { early } from '#api/early.ts'
import { type ApiStats, type ExtraKind, freshStats } from '#api/stats.ts'
import { nodeName, type Settings } from '#config/settings.ts'
import { follow } from '#system/children.ts'
import { systemClock } from '#system/clock.ts'
import { readText } from '#system/files.ts'
import { cpuCount, environment, hostName } from '#system/host.ts'
import { type HostKernel, hostKernel } from '#system/kernel.ts'
import { onSignals } from '#system/signals.ts'
import { watchFile } from '#system/watch-files.ts'
import { Agent } from './agent.ts'
import { watchConfiguration } from './config-watch.ts'
import { dataPlane } from './data-plane.ts'
import { type Begun, start } from './start.ts'
import { Telemetry } from './telemetry.ts'
import { tellNews } from './telling.ts'
import { tune } from './tuning.ts'

// run: the API server in, the real kernel out. What kube-proxy does.

export function main(argv: readonly string[]): Promise<number> {
  return start('run', argv, async begun => {
    if (begun.action === 'cleanup') return (await import('./cleanup.ts')).cleanup(begun)
    if (begun.action === 'init-only') return (await import('./setup.ts')).setup(begun)
    const stop = new AbortController()
    const kernel = hostKernel()
    let begins: Promise<Running> | undefined
    const end = (): void => stop.abort(TOLD)
    // From the first moment: who is told to go while they come must not be killed half way.
    const signals = onSignals({ SIGTERM: end, SIGINT: end, SIGHUP: () => void begins?.then(distrust, () => {}) })
    try {
      begins = begin(begun, kernel, stop.signal)
      const running = begins.then(parts => keepRunning(begun, argv, { ...parts, stop }))
      return await Promise.race([lastCommand(running, kernel, stop), outOfPatience(stop.signal)])
    } finally {
      signals.off()
    }
  })
}

const TOLD = new Error('told to go')

/** Whatever was begun ends with us, also where we could not start; the command that runs is let finish. */
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

interface Running {
  readonly agent: Agent
  readonly telemetry: Telemetry
}

function distrust({ agent }: Running): void {
  agent.distrust()
}

async function begin(begun: Begun, kernel: HostKernel, signal: AbortSignal): Promise<Running> {
  const { settings, log } = begun
  const clock = systemClock
  const about = { nodeName: nodeName(settings, hostName()), hostname: hostName() }
  const outside = { env: environment(), files: { readText }, kernel, clock }
  const credentials = await credentialsFrom({ ...apiPlace(begun), ...outside })
  const extras = extraKinds(settings)
  const stats = freshStats(extras)
  const telemetry = new Telemetry({ ...begun, ...about, clock, credentials, stats })
  const { observer } = telemetry
  const tell = tellNews(log)
  const api = apiSource({ ...about, credentials, clock, random: Math.random, tell, stats, extras, observer })
  // The API server and the machine are asked side by side.
  const source = early(api, signal)
  await tune({ settings, kernel, log, cpus: cpuCount(), pid: process.pid })
  const lost = (): void => agent.distrust()
  const agent = await Agent.open({
    ...about,
    settings,
    kernel: dataPlane({ settings, kernel: telemetry.kernel(kernel), log, lost, signal }),
    follow,
    clock,
    log,
    source,
    lastHeard: () => lastHeard(stats),
  })
  return { agent, telemetry }
}

async function keepRunning(
  begun: Begun,
  argv: readonly string[],
  { agent, telemetry, stop }: Running & { readonly stop: AbortController },
): Promise<number> {
  const { signal } = stop
  const configuration = keepConfiguration(begun, argv, signal)
  await together(stop, [telemetry.serve(agent, signal), agent.run(signal), configuration])
  return 0
}

/** Only nftables mode says anything about addresses that no Service has. */
export function extraKinds({ mode }: Settings): readonly ExtraKind[] {
  return mode === 'nftables' ? ['ServiceCIDR'] : []
}

/** One watch that has fallen silent is enough for our picture to be old, where we cannot do without it. */
export function lastHeard({ ServiceCIDR: _, ...needed }: ApiStats): number {
  return Math.min(...Object.values(needed).map(({ lastActivityAt }) => lastActivityAt))
}

function apiPlace({ settings: { kubeconfig, master }, log }: Begun) {
  if (kubeconfig === undefined && master === undefined) {
    log
      .at('run.ts:1')
      .info(0, 'Neither kubeconfig file nor master URL was specified, falling back to in-cluster config')
  }
  return { ...(kubeconfig !== undefined && { kubeconfig }), ...(master !== undefined && { master }) }
}

/** A change of the file we were configured by ends us; without such a file nothing ever does. */
async function keepConfiguration(begun: Begun, argv: readonly string[], signal: AbortSignal): Promise<void> {
  const { configFile: file } = begun.settings
  if (file === undefined) return
  await watchConfiguration({ ...begun, file, argv, clock: systemClock, signal, readFile: readText, watchFile })
}

/** The first that fails ends the others, and is what is told. */
async function together(stop: AbortController, tasks: readonly Promise<void>[]): Promise<void> {
  try {
    await Promise.all(tasks)
  } catch (error) {
    stop.abort(error)
    await Promise.allSettled(tasks)
    throw error
  }
}
