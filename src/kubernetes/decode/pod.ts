import type { V1ObjectMeta, V1Pod, V1PodStatus } from '@kubernetes/client-node'
import type { Address } from '#values/address.ts'
import { addressIn } from './addresses.ts'
import { Problems, textOf } from './checks.ts'
import { type FieldsOf, fieldsOf, listOf, unproven } from './fields.ts'

// A v1 Pod → which addresses it has, and whether it has ended.

export interface NodePod {
  readonly uid: string
  /** `namespace/name`. */
  readonly pod: string
  /** None where it has none yet. */
  readonly addresses: readonly Address[]
  /** Succeeded or Failed. */
  readonly isFinished: boolean
}

/** Undefined where it is no pod that has a name of its own. */
export function decodePod(json: unknown): NodePod | undefined {
  const raw = fieldsOf(unproven<V1Pod>(json))
  const metadata: FieldsOf<V1ObjectMeta> = fieldsOf(raw.metadata)
  const [name, namespace, uid] = [textOf(metadata.name), textOf(metadata.namespace), textOf(metadata.uid)]
  if (name === undefined || namespace === undefined || uid === undefined) return undefined
  const status = fieldsOf(raw.status)
  const phase = textOf(status.phase)
  return {
    uid,
    pod: `${namespace}/${name}`,
    addresses: addressesOf(status),
    isFinished: phase === 'Succeeded' || phase === 'Failed',
  }
}

/** One that cannot be read counts as none: a pod of that name then names any lease it may have. */
function addressesOf(status: FieldsOf<V1PodStatus>): readonly Address[] {
  const listed = (listOf(status.podIPs) ?? []).map(item => fieldsOf(item).ip)
  const texts = [...listed, status.podIP].filter(text => text !== undefined && text !== '')
  const found = texts.map(text => addressIn('status.podIPs', text, new Problems()))
  return found.includes(undefined) ? [] : [...new Set(found.filter(one => one !== undefined))]
}
