import type { Clock } from '#system/ports.ts'
import type { PluginAnswer } from '../answer.ts'
import type { PluginCall } from '../protocol/decode.ts'
import { CODE } from '../protocol/error.ts'
import { atLeast, supportedVersion } from '../protocol/versions.ts'
import type { NetworkList } from '../runner/network-list.ts'
import { summaryOf } from './summary.ts'

// A network → the moment from which the daemon of this node can attach pods to it.

export interface ReadinessParts {
  readonly network: NetworkList
  /** The plugins we answer for, by their `type`. */
  readonly ours: readonly string[]
  /** Where the plugins are. */
  readonly binDir: string
  /** Undefined where no daemon answers. */
  readonly ask: (call: PluginCall) => Promise<PluginAnswer | undefined>
  readonly clock: Clock
  readonly withinMs: number
}

const EVERY_MS = 500
/** As long as the helper waits: a daemon that hangs does not answer at all. */
const ANSWER_WITHIN_MS = 5000

/** Rejects with the last reason where that moment does not come in time, and at once where waiting helps nothing. */
export async function untilReady({ clock, withinMs, ...parts }: ReadinessParts): Promise<void> {
  const deadline = clock.now() + withinMs
  for (;;) {
    const ask: Asked['ask'] = call => inTime(parts.ask(call), clock)
    const obstacle = await obstacleTo({ ...parts, ask })
    if (obstacle === undefined) return
    const { why, mayPass } = obstacle
    if (!mayPass || clock.now() >= deadline) {
      const waited = mayPass ? ` (waited ${Math.round(withinMs / 1000)} s)` : ''
      throw new Error(`network ${JSON.stringify(parts.network.name)} is not ready${waited}: ${why}`)
    }
    await clock.sleep(EVERY_MS)
  }
}

async function inTime<T>(answer: Promise<T>, clock: Clock): Promise<T | undefined> {
  const isOver = new AbortController()
  const late = clock.sleep(ANSWER_WITHIN_MS, isOver.signal).then(() => undefined)
  try {
    return await Promise.race([answer, late])
  } finally {
    isOver.abort()
  }
}

interface Obstacle {
  readonly why: string
  /** A mistake in the configuration stays one. */
  readonly mayPass: boolean
}

/** Plugins say whether they are ready since 1.1.0; before that, it must do that a daemon answers. */
async function obstacleTo({ network, ours, binDir, ask }: Asked): Promise<Obstacle | undefined> {
  const { name, plugins } = network
  const cniVersion = supportedVersion(network.cniVersion)
  const command = atLeast(cniVersion, '1.1.0') ? 'STATUS' : 'VERSION'
  for (const plugin of plugins) {
    if (!ours.includes(String(plugin.type))) continue
    const stdin = JSON.stringify({ ...plugin, cniVersion, name })
    const call: PluginCall = { plugin: String(plugin.type), env: { CNI_COMMAND: command, CNI_PATH: binDir }, stdin }
    const answer = await ask(call)
    if (answer === undefined) return { why: 'no daemon answers; is "switchyard pods" running?', mayPass: true }
    const { failure } = summaryOf(call, answer)
    if (failure === undefined) continue
    const why = [`${call.plugin}: ${failure.message}`, failure.details].filter(Boolean).join('; ')
    return { why, mayPass: PASSING.includes(failure.code) }
  }
  return undefined
}

type Asked = Pick<ReadinessParts, 'network' | 'ours' | 'binDir' | 'ask'>

const PASSING: readonly number[] = [CODE.io, CODE.tryAgainLater, CODE.notAvailable, CODE.limited]
