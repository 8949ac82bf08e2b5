import type { Family } from '#values/address.ts'
import type { PortmapConfig } from './mapping.ts'
import type { PortmapOwner, PortmapTarget } from './target.ts'

// What a back end of `portmap` does: mappings into the kernel, and out of it again.

export interface MappingBackend {
  /** All or none. Of mappings of the same owner that were there before, none is left. */
  map(mapping: Mapping): Promise<void>
  /** Takes back what was mapped for owners that are chosen, and says what it was. */
  unmap(choice: OwnerChoice): Promise<readonly MappedPort[]>
  /** What is not as `map` left it, one sentence each. */
  missing(mapping: Mapping): Promise<readonly string[]>
}

export interface Mapping {
  readonly owner: PortmapOwner
  readonly config: PortmapConfig
  readonly targets: readonly PortmapTarget[]
}

/** One owner, or all of a network but those. */
export type OwnerChoice =
  | { readonly owner: PortmapOwner }
  | { readonly network: string; readonly except: readonly PortmapOwner[] }

export interface MappedPort {
  readonly family: Family
  readonly protocol: string
  readonly port: number
}
