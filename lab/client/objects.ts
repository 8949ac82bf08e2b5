import type {
  V1Deployment,
  V1EndpointSlice,
  V1Endpoints,
  V1Lease,
  V1Namespace,
  V1Node,
  V1OwnerReference,
  V1Pod,
  V1ReplicaSet,
  V1Service,
} from '@kubernetes/client-node'

// The objects of an API server as its JSON has them: client-node's types with times as texts.

/** What every object has. */
export interface ApiObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: ObjectMeta
}

// A type and no interface: only so it fits where an object with fields of any name is wanted.
export type ObjectMeta = {
  readonly name?: string
  readonly generateName?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
}

export type OwnerReference = Written<V1OwnerReference>

/** A type of client-node in JSON. */
export type Written<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Written<Item>[]
    : T extends object
      ? { readonly [Name in keyof T]: Written<T[Name]> }
      : T

type Stored<T> = Omit<Written<T>, 'metadata'> & { readonly metadata: ObjectMeta }

export type Pod = Stored<V1Pod>
export type Node = Stored<V1Node>
export type Service = Stored<V1Service>
export type EndpointSlice = Stored<V1EndpointSlice>
export type Endpoints = Stored<V1Endpoints>
export type Deployment = Stored<V1Deployment>
export type ReplicaSet = Stored<V1ReplicaSet>
export type Namespace = Stored<V1Namespace>
export type Lease = Stored<V1Lease>

export type PodSpec = NonNullable<Pod['spec']>
export type PodTemplate = NonNullable<Deployment['spec']>['template']
/** Of any object that has some. */
export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}
