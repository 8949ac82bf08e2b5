import { nodeName, type Settings } from '#config/settings.ts'
import { LEAK_LIMITS } from '#ipam/witnesses/verdict.ts'
import { hostName } from '#system/host.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import type { LeakMetrics } from '#telemetry/numbers/leaks.ts'
import { formatDuration } from '#values/duration.ts'
import { pagedRound } from '../../leaks/round.ts'
import { takeBack } from '../../leaks/take-back.ts'
import { repairRound } from '../../repair/repair.ts'
import type { Daemon } from '../daemon.ts'
import { AddressEvents } from '../events/address-events.ts'
import { eventSender } from '../events/event-sender.ts'
import type { NodeMachine } from '../machine.ts'
import { watchFullness } from './fullness-watch.ts'
import { watchLeaks } from './leak-watch.ts'
import { type ApiSettings, nodeApi } from './node-api.ts'
import { nodeWitnesses } from './node-witnesses.ts'
import { watchRenewals } from './renewals.ts'
import { watchRules } from './rule-watch.ts'

// What the daemon does beside answering calls: it looks for leaks for sets that run full and for rules that were flushed, and
// renews the leases of DHCP servers.

export interface RoundsParts {
  readonly settings: ApiSettings & Pick<Settings, 'leaks'>
  readonly machine: NodeMachine
  readonly inTurn: Daemon['inTurn']
  readonly kernel: Kernel
  readonly clock: Clock
  readonly log: Log
  readonly metrics: LeakMetrics
  readonly signal: AbortSignal
}

/** A runtime deletes a pod's namespace right after its DEL. */
const SETTLE_MS = 1000

/** Resolves when the signal has aborted and what was under way is done. */
export async function makeRounds(parts: RoundsParts): Promise<void> {
  const { settings, machine, inTurn, kernel, clock, log, metrics, signal } = parts
  const api = await nodeApi({ settings, kernel, clock })
  const witnesses = nodeWitnesses({ api, clock, networks: machine.networks })
  const hostname = hostName()
  const sender = eventSender({ clock, log, ...(api !== undefined && { api }) })
  const events = new AddressEvents(sender, () => {
    return { nodeName: nodeName(settings, hostname), hostname, now: clock.now() }
  })
  const { networks, files } = machine
  const { found, periodMs } = settings.leaks
  if (periodMs > 0) {
    log.info(0, 'Looking for leaked leases', {
      every: formatDuration(periodMs),
      leaks: found,
      witnesses: witnesses.names,
    })
  }
  const book = () => machine.leaks()
  const [limits, asked] = [LEAK_LIMITS, 'until-named'] as const
  const leaks = watchLeaks({
    ...{ settings: settings.leaks, book, clock, log, signal, events, apiFailure: witnesses.apiFailure },
    round: async visit =>
      pagedRound(
        {
          ...{ networks, files, clock, limits, asked, witnesses: witnesses.of },
          ...{ book: await book(), dhcp: await machine.dhcpLeases() },
        },
        visit,
      ),
    takeBack: attachment =>
      inTurn(attachment.holder.container, async () => takeBack(attachment, { ...machine, book: await book() })),
    observed: numbers => (numbers === 'failed' ? metrics.roundFailed() : metrics.round(numbers)),
  })
  const renewals = watchRenewals({ machine, clock, log, signal, observed: became => metrics.renewed(became) })
  const usages = async () => (await machine.leases()).usages()
  const fullness = watchFullness({ usages, clock, log, signal, crossed: events.level.bind(events) })
  const rules = watchRules({
    ...{ clock, log, signal, generation: machine.generation },
    repair: async () =>
      repairRound({
        ...{ parts: machine, book: await machine.rules(), inTurn, signal },
        settle: () => clock.sleep(SETTLE_MS, signal),
      }),
    observed: ({ rules, outcome }) => metrics.rewritten(rules.kind, outcome),
  })
  await Promise.all([leaks, renewals, fullness, rules])
  await sender.close()
  await api?.close()
}
