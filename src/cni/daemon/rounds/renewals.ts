import type { Clock } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { type DhcpParts, dhcpMachine } from '../../plugins/dhcp/client.ts'
import { type Renewal, renewDue } from '../../plugins/dhcp/renewal.ts'

// Leases of DHCP servers → extended when they are due, for as long as the daemon runs.

export interface RenewalParts {
  readonly machine: DhcpParts
  readonly clock: Clock
  readonly log: Log
  readonly observed: (outcome: Renewal['became']) => void
  readonly signal: AbortSignal
  readonly renew?: typeof renewDue
}

/** The database is asked for what is due: one look into an index. */
const EVERY_MS = 5000

/** Resolves when the signal has aborted, and at once where no DHCP can be spoken. */
export async function watchRenewals(parts: RenewalParts): Promise<void> {
  const { machine, clock, log, observed, signal, renew = renewDue } = parts
  if (machine.packets === undefined) return
  const report = (renewal: Renewal): void => {
    logRenewal(log, renewal)
    observed(renewal.became)
  }
  let isFailing = false
  while (!signal.aborted) {
    try {
      await renew(await dhcpMachine(machine), report, signal)
      isFailing = false
    } catch (error) {
      // Once, not every five seconds.
      if (!isFailing) log.error('Leases of DHCP servers could not be renewed', error, { next: 'tried again every 5s' })
      isFailing = true
    }
    await clock.sleep(EVERY_MS, signal)
  }
}

const SEVERE: readonly Renewal['became'][] = ['expired', 'still-expired']

function logRenewal(log: Log, { record, became, why }: Renewal): void {
  const { owner, lease } = record
  const { network, container, ifname, pod } = owner
  const pairs = {
    ...{ became, ip: lease.address, ...(pod !== undefined && { pod }), network, container, ifname },
    ...{ server: lease.server, ...(why !== undefined && { why }) },
  }
  if (SEVERE.includes(became))
    log.warning('Lease of DHCP server lost', { ...pairs, next: 'the interface is down until it is had back' })
  else if (became === 'unanswered')
    log.warning('DHCP server did not answer', { ...pairs, expires: new Date(lease.expiresAt).toISOString() })
  else log.info(became === 'renewed' ? 2 : 0, 'Lease of DHCP server was due', pairs)
}
