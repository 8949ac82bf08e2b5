import type { Neighbour, Tunnel, VxlanOptions } from '#system/network/neighbours.ts'
import type { LinkChange, NetworkRoute } from '#system/network/network.ts'
import type { Address } from '#values/address.ts'

// What turns the kernel's routes into the planned ones, one change at a time.

export type RouteChange =
  | { readonly do: 'add overlay'; readonly options: VxlanOptions }
  | { readonly do: 'change overlay'; readonly change: LinkChange }
  | { readonly do: 'delete overlay' }
  | { readonly do: 'add address' | 'delete address'; readonly address: Address; readonly prefixLength: number }
  | { readonly do: 'set tunnel' | 'delete tunnel'; readonly tunnel: Tunnel }
  | { readonly do: 'set neighbour' | 'delete neighbour'; readonly neighbour: Neighbour }
  | { readonly do: 'add route' | 'delete route'; readonly route: NetworkRoute }
