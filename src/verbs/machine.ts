import { addressesOf, LIST_ADDRESSES, MONITOR_ADDRESSES } from '../dialects/ip.ts'
import { readSysctl, TCP_BE_LIBERAL } from '../dialects/sysctl.ts'
import type { Clock, Follow, Following, Kernel } from '../system/ports.ts'
import { same } from '../values/same.ts'
import type { Machine } from './surroundings.ts'

// What the machine says of itself, kept up to date.

export const NO_MACHINE: Machine = { addresses: { ipv4: [], ipv6: [] }, liberalConntrack: false }

/** A question the machine does not answer is answered as kube-proxy would assume. */
export async function lookAtMachine(kernel: Kernel, known: Machine = NO_MACHINE): Promise<Machine> {
  const [listing, liberal] = await Promise.all([
    kernel.run({ argv: LIST_ADDRESSES }),
    kernel.run({ argv: readSysctl(TCP_BE_LIBERAL) }),
  ])
  const addresses =
    listing.code === 0
      ? { ipv4: addressesOf(listing.stdout, 'ipv4'), ipv6: addressesOf(listing.stdout, 'ipv6') }
      : known.addresses
  const now = { addresses, liberalConntrack: liberal.code === 0 && liberal.stdout.trim() !== '0' }
  return same(now, known) ? known : now
}

/** `ip monitor` says when an address comes or goes; where it cannot, there is the next regular look. */
export class AddressNews {
  readonly #clock: Clock
  readonly #following: Following | undefined
  #wake = new AbortController()

  constructor(follow: Follow | undefined, clock: Clock) {
    this.#clock = clock
    this.#following = follow?.(MONITOR_ADDRESSES, () => this.#wake.abort())
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
