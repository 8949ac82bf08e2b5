import type { Resolved } from './resolve.ts'

// Service ports → how many of them drop traffic only because their policy is Local.

export interface NoLocalEndpoints {
  readonly internal: number
  readonly external: number
}

/** Counts ports that have endpoints, but none on this node. */
export function noLocalEndpoints(ports: Iterable<Resolved>): NoLocalEndpoints {
  let internal = 0
  let external = 0
  for (const { traffic } of ports) {
    if (traffic.frontends.some(({ kind, verdict }) => kind === 'cluster-ip' && verdict.to === 'drop')) internal++
    if (traffic.frontends.some(({ admits }) => admits === 'insiders')) external++
  }
  return { internal, external }
}
