import {
  addressesOf,
  LIST_ADDRESSES,
  LIST_ROUTES,
  MONITOR_ADDRESSES,
  MONITOR_ADDRESSES_AND_ROUTES,
  routesOf,
} from '#dialects/ip.ts'
import { readSysctl, TCP_BE_LIBERAL } from '#dialects/sysctl.ts'
import type { Needs } from '#proxy/desired/node-view.ts'
import type { Clock, Follow, Following, Kernel, Outcome } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import { same } from '#values/same.ts'
import type { HostNetwork } from './node-view.ts'

// The host's answers about its addresses, routes and connection tracking → a HostNetwork, kept up to date.

export const NO_HOST_NETWORK: HostNetwork = { addresses: { ipv4: [], ipv6: [] }, liberalConntrack: false }

/** Where a question fails, known addresses and routes stay, and conntrack is taken for strict, as in kube-proxy. */
export async function readHostNetwork(
  kernel: Kernel,
  needs: Needs,
  known: HostNetwork = NO_HOST_NETWORK,
): Promise<HostNetwork> {
  const [listing, liberal, routes] = await Promise.all([
    kernel.run(LIST_ADDRESSES),
    kernel.run(readSysctl(TCP_BE_LIBERAL)),
    needs.serviceRanges ? readRoutes(kernel, known) : undefined,
  ])
  const addresses = answerOr(known.addresses, listing, text => ({
    ipv4: addressesOf(text, 'ipv4'),
    ipv6: addressesOf(text, 'ipv6'),
  }))
  const liberalConntrack = liberal.code === 0 && liberal.stdout.trim() !== '0'
  const now = { addresses, liberalConntrack, ...(routes !== undefined && { routes }) }
  return same(now, known) ? known : now
}

async function readRoutes(kernel: Kernel, known: HostNetwork): Promise<NonNullable<HostNetwork['routes']>> {
  const destinations = async (family: Family): Promise<readonly Cidr[]> => {
    return answerOr(known.routes?.[family] ?? [], await kernel.run(LIST_ROUTES[family]), routesOf)
  }
  const [ipv4, ipv6] = await Promise.all([destinations('ipv4'), destinations('ipv6')])
  return { ipv4, ipv6 }
}

/** An answer that cannot be read is as good as none. */
function answerOr<T>(known: T, { code, stdout }: Outcome, read: (text: string) => T): T {
  if (code !== 0) return known
  try {
    return read(stdout)
  } catch {
    return known
  }
}

/** `ip monitor` reports addresses that come or go; where it cannot run, the next regular read finds them. */
export class AddressWatch {
  readonly #clock: Clock
  readonly #following: Following | undefined
  #wake = new AbortController()

  constructor(follow: Follow | undefined, clock: Clock, needs: Needs) {
    this.#clock = clock
    this.#following = follow?.(needs.serviceRanges ? MONITOR_ADDRESSES_AND_ROUTES : MONITOR_ADDRESSES, () =>
      this.#wake.abort(),
    )
  }

  /** Resolves after this long, or a moment after a change: addresses that come together are then read together. */
  async changeOr(ms: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(ms, AbortSignal.any([signal, this.#wake.signal]))
    if (!this.#wake.signal.aborted) return
    await this.#clock.sleep(TOGETHER_MS, signal)
    this.#wake = new AbortController()
  }

  stop(): void {
    void this.#following?.stop()
  }
}

const TOGETHER_MS = 100
