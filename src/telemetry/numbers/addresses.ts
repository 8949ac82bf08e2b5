import { Registry } from '#telemetry/exposition.ts'

// How many addresses of each range set are used, free and cooling down → numbers of /metrics.

export interface AddressCounts {
  readonly network: string
  readonly set: number
  readonly family: string
  /** Leased to pods. */
  readonly used: number
  readonly cooling: number
  /** Used by other networks, or by pods without a lease. */
  readonly elsewhere: number
  readonly free: bigint
  readonly size: bigint
}

/** Read anew for each scrape: a set that is gone has no number any longer. */
export function addressesText(sets: readonly AddressCounts[]): string {
  const registry = new Registry()
  const labels = ['network', 'set', 'family'] as const
  const addresses = registry.gauge({
    name: 'switchyard_ipam_addresses',
    help: 'Addresses of a range set, by what has become of them: used, cooling, elsewhere or free.',
    labels: [...labels, 'state'],
  })
  const sizes = registry.gauge({
    name: 'switchyard_ipam_range_size',
    help: 'Addresses that a range set may give.',
    labels,
  })
  for (const { network, set, family, size, ...counts } of sets) {
    const whose = { network, set: String(set), family }
    sizes.set(whose, Number(size))
    for (const state of ['used', 'cooling', 'elsewhere', 'free'] as const) {
      addresses.set({ ...whose, state }, Number(counts[state]))
    }
  }
  return registry.text()
}
