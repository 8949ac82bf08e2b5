import type { Settings } from '#config/settings.ts'
import {
  addressesOf,
  LIST_ADDRESSES,
  LIST_ROUTES,
  MONITOR_ADDRESSES,
  MONITOR_ADDRESSES_AND_ROUTES,
  routesOf,
} from '#dialects/ip.ts'
import { readSysctl, TCP_BE_LIBERAL } from '#dialects/sysctl.ts'
import type { Clock, Follow, Following, Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import { same } from '#values/same.ts'
import type { HostNetwork } from './node-view.ts'

// What the machine says of itself, kept up to date.

type ModeName = Settings['mode']

export const NO_HOST_NETWORK: HostNetwork = { addresses: { ipv4: [], ipv6: [] }, liberalConntrack: false }

/** A question the machine does not answer is answered as kube-proxy would assume. */
export async function readHostNetwork(
  kernel: Kernel,
  mode: ModeName,
  known: HostNetwork = NO_HOST_NETWORK,
): Promise<HostNetwork> {
  const [listing, liberal, routes] = await Promise.all([
    kernel.run(LIST_ADDRESSES),
    kernel.run(readSysctl(TCP_BE_LIBERAL)),
    needsRoutes(mode) ? lookAtRoutes(kernel, known) : undefined,
  ])
  const addresses =
    listing.code === 0
      ? { ipv4: addressesOf(listing.stdout, 'ipv4'), ipv6: addressesOf(listing.stdout, 'ipv6') }
      : known.addresses
  const liberalConntrack = liberal.code === 0 && liberal.stdout.trim() !== '0'
  const now = { addresses, liberalConntrack, ...(routes !== undefined && { routes }) }
  return same(now, known) ? known : now
}

async function lookAtRoutes(kernel: Kernel, known: HostNetwork): Promise<NonNullable<HostNetwork['routes']>> {
  const leading = async (family: Family): Promise<readonly Cidr[]> => {
    const { code, stdout } = await kernel.run(LIST_ROUTES[family])
    return code === 0 ? routesOf(stdout) : (known.routes?.[family] ?? [])
  }
  const [ipv4, ipv6] = await Promise.all([leading('ipv4'), leading('ipv6')])
  return { ipv4, ipv6 }
}

/** Only nftables mode sends away who knocks at an address that no Service has. */
function needsRoutes(mode: ModeName): boolean {
  return mode === 'nftables'
}

/** `ip monitor` says when an address comes or goes; where it cannot, there is the next regular look. */
export class AddressWatch {
  readonly #clock: Clock
  readonly #following: Following | undefined
  #wake = new AbortController()

  constructor(follow: Follow | undefined, clock: Clock, mode: ModeName) {
    this.#clock = clock
    this.#following = follow?.(needsRoutes(mode) ? MONITOR_ADDRESSES_AND_ROUTES : MONITOR_ADDRESSES, () =>
      this.#wake.abort(),
    )
  }

  /** Resolves at news, and a moment later so that addresses that come together are seen together, or after this long. */
  async or(ms: number, signal: AbortSignal): Promise<void> {
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
