import type { ObjectKind } from '#kubernetes/objects.ts'
import { type Decoded, Problems, shown, unusable } from './checks.ts'
import { type AnyObject, fieldsOf, unproven } from './fields.ts'
import { decodeNode } from './node.ts'
import { decodeService } from './service.ts'
import { decodeServiceCIDR } from './service-cidr.ts'
import { decodeSlice } from './slice.ts'

// Parsed JSON or YAML → the compact objects that the rest of the program trusts. Nothing unproven gets past it, and it
// never throws.

export type { Decoded } from './checks.ts'

interface Decoder {
  readonly apiVersion: string
  readonly decode: (json: unknown) => Decoded
}

const DECODERS: Readonly<Record<ObjectKind, Decoder>> = {
  Service: { apiVersion: 'v1', decode: decodeService },
  EndpointSlice: { apiVersion: 'discovery.k8s.io/v1', decode: decodeSlice },
  Node: { apiVersion: 'v1', decode: decodeNode },
  ServiceCIDR: { apiVersion: 'networking.k8s.io/v1', decode: decodeServiceCIDR },
}

export const KINDS = Object.keys(DECODERS) as readonly ObjectKind[]

/** By the kind and apiVersion the document names. */
export function decode(json: unknown): Decoded {
  const { kind, apiVersion, metadata } = fieldsOf(unproven<AnyObject>(json))
  const problems = new Problems()
  const decoder = typeof kind === 'string' && isKind(kind) ? DECODERS[kind] : undefined
  if (decoder === undefined) problems.fail('kind', kind, `is not one of ${KINDS.join(', ')}`)
  else if (apiVersion !== decoder.apiVersion) {
    problems.fail('apiVersion', apiVersion, `is not supported for ${kind}: ${shown(decoder.apiVersion)} is`)
  } else return decoder.decode(json)
  const isPlain = typeof kind === 'string' && /^[A-Za-z]{1,63}$/.test(kind)
  return unusable(isPlain ? kind : shown(kind), fieldsOf(metadata), problems)
}

/** The group of Kubernetes that an object of this kind belongs to; empty for the core one. */
export function groupOf(kind: ObjectKind): string {
  const { apiVersion } = DECODERS[kind]
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
}

/** Items of a list and objects of a watch carry no reliable kind: the request they answer says what they are. */
export function decodeAs(kind: ObjectKind, json: unknown): Decoded {
  return DECODERS[kind].decode(json)
}

/** How the object is named in a log, whether it can be used or not. */
export function nameIn(decoded: Decoded): string {
  return decoded.ok ? decoded.object.name : decoded.label
}

export function isKind(kind: string): kind is ObjectKind {
  return Object.hasOwn(DECODERS, kind)
}
