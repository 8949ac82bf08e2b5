import type { Settings } from '#config/settings.ts'
import { chooseTools } from '#dialects/iptables-choice.ts'
import { portsLeftBehind } from '#proxy/modes/userspace/left-behind.ts'
import type { Listeners } from '#proxy/relay/listeners.ts'
import { Relay, type RelayOptions } from '#proxy/relay/relay.ts'
import { withRelay } from '#proxy/relay/with-relay.ts'
import { commandFlows } from '#proxy/sync/flows/command-flows.ts'
import type { FlowTable, Kernel } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { logRelayEvent } from '#telemetry/log/relay.ts'
import type { Family } from '#values/address.ts'
import { needsOf } from './fit-mode.ts'

// Settings → what carries packets: the kernel alone, or, in userspace mode, the kernel and a relay in this process.

export interface DataPlaneParts {
  readonly settings: Pick<Settings, 'mode' | 'userspace'>
  readonly kernel: Kernel
  /** The connections the kernel tracks; where absent, the `conntrack` command lists and deletes them. */
  readonly flows?: FlowTable | undefined
  readonly log: Log
  /** Listeners that are believed to be open may be closed. */
  readonly lost: () => void
  /** When it aborts, every connection through the relay ends. */
  readonly signal: AbortSignal
  /** For a relay whose sockets must be in another process or network namespace than this. */
  readonly relayOf?: (options: RelayOptions) => Stoppable
}

export type Stoppable = Listeners & { stop(): Promise<void> }

export function dataPlane({ settings, kernel, log, lost, signal, ...parts }: DataPlaneParts): Kernel {
  if (!needsOf(settings).relay) return kernel
  const { portRange, udpTimeoutMs } = settings.userspace
  const { relayOf = options => new Relay(options), flows = commandFlows(kernel) } = parts
  const relay = relayOf({
    portRange,
    udpIdleMs: udpTimeoutMs,
    report: event => logRelayEvent(log, event),
    lost,
    remembered: family => remembered(kernel, family),
  })
  if (signal.aborted) void relay.stop()
  signal.addEventListener('abort', () => void relay.stop(), { once: true })
  return withRelay(kernel, relay, flows)
}

/**
 * The proxy ports that rules of an earlier process lead to. A listener gets the same port again: clients that these
 * rules still lead there reach their Service, and no other.
 */
async function remembered(kernel: Kernel, family: Family): Promise<ReadonlyMap<string, number>> {
  const { tools } = await chooseTools(kernel, family)
  return portsLeftBehind(kernel, tools)
}
