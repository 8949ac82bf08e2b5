import type { Deployment } from '#lab/client/objects.ts'
import { portion } from '../facts/percent.ts'

// What a Deployment says → numbers, with the defaults of the API server.

export function replicasOf({ spec }: { readonly spec?: { readonly replicas?: number } }): number {
  return spec?.replicas ?? 1
}

export function isRecreate({ spec }: Deployment): boolean {
  return spec?.strategy?.type === 'Recreate'
}

export interface Bounds {
  /** So many pods may there be above those that are wanted. */
  readonly surge: number
  /** So many of those that are wanted may be unavailable. */
  readonly unavailable: number
}

/** Both of them 0 would mean that nothing can ever move. */
export function boundsOf(deployment: Deployment): Bounds {
  if (isRecreate(deployment)) return { surge: 0, unavailable: 0 }
  const { maxSurge = '25%', maxUnavailable = '25%' } = deployment.spec?.strategy?.rollingUpdate ?? {}
  const wanted = replicasOf(deployment)
  const surge = portion(maxSurge, wanted, 'up')
  const unavailable = Math.min(portion(maxUnavailable, wanted, 'down'), wanted)
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable }
}

export function minReadySecondsOf({ spec }: Deployment): number {
  return spec?.minReadySeconds ?? 0
}
