import { hash8 } from '#values/digest.ts'
import type { BlockLevel } from './block-level.ts'
import { countsText, type FamilyCounts, type NodeFinding } from './findings.ts'

// What the owner of a cluster should see → an Event of events.k8s.io/v1: about its Node, so that `kubectl describe node` shows it,
// about the record, or about the Lease.

export interface FindingReporter {
  readonly hostname: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** What the API server allows. */
const NOTE_LENGTH = 1024
const INSTANCE_LENGTH = 128
const CONTROLLER = 'switchyard-ranges'

/** Named after its content: of two controllers that find the same, one creates it. */
export function findingEvent(by: FindingReporter, { node, reason, message }: NodeFinding) {
  const { name, uid } = node
  const regarding = { kind: 'Node', apiVersion: 'v1', name, uid } as const
  return event(by, { regarding, type: 'Warning', reason, note: message, content: `${uid} ${reason} ${message}` })
}

export interface NamedObject {
  readonly namespace: string
  readonly name: string
}

const LEVELS: Readonly<Record<BlockLevel, string>> = {
  roomy: 'has room for nodes again',
  near: 'is nearly full',
  full: 'is full: the next node gets no addresses for pods',
}

export function levelEvent(by: FindingReporter, record: NamedObject, { counts, level }: RangeAtLevel) {
  return event(by, {
    regarding: { kind: 'ConfigMap', apiVersion: 'v1', ...record },
    type: level === 'roomy' ? 'Normal' : 'Warning',
    reason: level === 'near' ? 'CIDRNearlyFull' : level === 'full' ? 'CIDRNotAvailable' : 'CIDRAvailable',
    note: `the range of the cluster ${LEVELS[level]}: ${countsText(counts)}`,
    content: `${by.now} ${level} ${counts.range}`,
  })
}

export interface RangeAtLevel {
  readonly counts: FamilyCounts
  readonly level: BlockLevel
}

/** In the words of Kubernetes. */
export function leaderEvent(by: FindingReporter, lease: NamedObject, { identity, what }: LeaderNote) {
  return event(by, {
    regarding: { kind: 'Lease', apiVersion: 'coordination.k8s.io/v1', ...lease },
    type: 'Normal',
    reason: 'LeaderElection',
    note: `${identity} ${what}`,
    content: `${by.now} ${identity} ${what}`,
  })
}

export interface LeaderNote {
  readonly identity: string
  readonly what: 'became leader' | 'stopped leading'
}

interface EventText {
  readonly regarding: { readonly kind: string; readonly apiVersion: string; readonly name: string } & Partial<
    Readonly<Record<'namespace' | 'uid', string>>
  >
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly note: string
  /** The name is made of it. */
  readonly content: string
}

function event({ hostname, now }: FindingReporter, { regarding, type, reason, note, content }: EventText) {
  const { name, namespace = 'default' } = regarding
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: `${name.slice(0, 200)}.${hash8(content).toLowerCase()}`, namespace },
    eventTime: new Date(now).toISOString().replace('Z', '000Z'),
    reportingController: CONTROLLER,
    reportingInstance: `${CONTROLLER}-${hostname}`.slice(0, INSTANCE_LENGTH),
    action: 'AllocateCIDR',
    type,
    reason,
    regarding,
    note: note.slice(0, NOTE_LENGTH),
  } as const
}
