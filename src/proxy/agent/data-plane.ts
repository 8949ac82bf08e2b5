import type { Settings } from '#config/settings.ts'
import { chooseTools } from '#proxy/modes/iptables/choose.ts'
import { portsLeftBehind } from '#proxy/modes/userspace/left-behind.ts'
import type { Listeners } from '#proxy/relay/listeners.ts'
import { Relay, type RelayOptions } from '#proxy/relay/relay.ts'
import { withRelay } from '#proxy/relay/with-relay.ts'
import type { Kernel } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { logRelayEvent } from '#telemetry/log/relay.ts'
import type { Family } from '#values/address.ts'

// Settings → what carries packets: the kernel alone, or, in userspace mode, the kernel and a relay in this process.

export interface DataPlaneParts {
  readonly settings: Pick<Settings, 'mode' | 'userspace'>
  readonly kernel: Kernel
  readonly log: Log
  /** Listeners that are believed to be open may be closed. */
  readonly lost: () => void
  /** When it aborts, every connection through the relay ends. */
  readonly signal: AbortSignal
  /** For a relay whose sockets must be in another process or network namespace than this. */
  readonly relayOf?: (options: RelayOptions) => Stoppable
}

export type Stoppable = Listeners & { stop(): Promise<void> }

export function dataPlane({
  settings: { mode, userspace },
  kernel,
  log,
  lost,
  signal,
  ...parts
}: DataPlaneParts): Kernel {
  if (mode !== 'userspace') return kernel
  const { portRange, udpTimeoutMs } = userspace
  const { relayOf = options => new Relay(options) } = parts
  const relay = relayOf({
    portRange,
    udpIdleMs: udpTimeoutMs,
    report: event => logRelayEvent(log, event),
    lost,
    remembered: family => remembered(kernel, family),
  })
  signal.addEventListener('abort', () => void relay.stop(), { once: true })
  return withRelay(kernel, relay)
}

/**
 * The proxy ports that rules of an earlier process lead to. A listener gets the same port again: clients that these
 * rules still lead there reach their Service, and no other.
 */
async function remembered(kernel: Kernel, family: Family): Promise<ReadonlyMap<string, number>> {
  const { tools } = await chooseTools(kernel, family)
  return portsLeftBehind(kernel, tools)
}
