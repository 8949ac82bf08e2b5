import { hash8 } from '#values/digest.ts'
import type { ObjectName } from '#values/names.ts'

// Something the owner of an object should see there → an Event of events.k8s.io/v1, with the fields kube-proxy gives it.

export interface KubeEvent {
  readonly apiVersion: 'events.k8s.io/v1'
  readonly kind: 'Event'
  readonly metadata: { readonly name: string; readonly namespace: string }
  readonly eventTime: string
  readonly reportingController: 'kube-proxy'
  readonly reportingInstance: string
  readonly action: string
  readonly reason: string
  readonly regarding: Regarding
  readonly note?: string
  readonly type: 'Normal' | 'Warning'
}

interface Regarding {
  readonly kind: 'Node' | 'Service'
  readonly apiVersion?: 'v1'
  readonly namespace?: string
  readonly name: string
}

/** The node an Event comes from, and the time. */
export interface EventReporter {
  readonly nodeName: string
  /** The name the operating system has for this host. */
  readonly hostname: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

export interface LostFrontend {
  /** `shop/cart:http` */
  readonly id: string
  readonly service: ObjectName
  /** `tcp 10.96.0.10 80` */
  readonly frontend: string
  readonly holder: string
}

/** What the API server allows. */
const NOTE_LENGTH = 1024
const INSTANCE_LENGTH = 128

export function starting(by: EventReporter): KubeEvent {
  const regarding: Regarding = { kind: 'Node', name: by.nodeName }
  return event(by, { regarding, type: 'Normal', reason: 'Starting', action: 'StartKubeProxy' })
}

export function healthCheckFailed(by: EventReporter, service: ObjectName, failure: HealthCheckFailure): KubeEvent {
  const { port, reason } = failure
  return event(by, {
    regarding: serviceRegarding(service),
    type: 'Warning',
    reason: 'FailedToStartServiceHealthcheck',
    action: 'Listen',
    note: `node ${by.nodeName} failed to start healthcheck "${service}" on port ${port}: ${reason}`,
  })
}

export interface HealthCheckFailure {
  readonly port: number
  readonly reason: string
}

/** Named after its content: every node finds the lost claim, and only the first one's Event is created. */
export function claimLost(by: EventReporter, { id, service, frontend, holder }: LostFrontend): KubeEvent {
  const said = event(by, {
    regarding: serviceRegarding(service),
    type: 'Warning',
    reason: 'AddressClaimed',
    action: 'Claim',
    note: `Service "${id}" does not get ${frontend}: "${holder}" is older and has it`,
  })
  const name = `${said.regarding.name}.${hash8(`${id} ${frontend} ${holder}`).toLowerCase()}`
  return { ...said, metadata: { ...said.metadata, name } }
}

/** Named after its content: it is created once on each node, however often the rules are tried again. */
export function rulesRefused(by: EventReporter, { owner, service, unit, reason }: RefusedService): KubeEvent {
  const said = event(by, {
    regarding: serviceRegarding(service),
    type: 'Warning',
    reason: 'RulesRefused',
    action: 'Sync',
    note: `node ${by.nodeName} refuses the rules of "${owner}" (${unit}); those of all other Services are written: ${reason}`,
  })
  const name = `${said.regarding.name.slice(0, 200)}.${hash8(`${by.nodeName} ${owner} ${unit}`).toLowerCase()}`
  return { ...said, metadata: { ...said.metadata, name } }
}

export interface RefusedService {
  /** `shop/cart:http/tcp` */
  readonly owner: string
  readonly service: ObjectName
  readonly unit: string
  readonly reason: string
}

type EventContent = Pick<KubeEvent, 'regarding' | 'type' | 'reason' | 'action' | 'note'>

/** Events about what has no namespace stand in `default`. */
function event({ hostname, now }: EventReporter, { note, ...said }: EventContent): KubeEvent {
  const { name, namespace = 'default' } = said.regarding
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: `${name.slice(0, 200)}.${nanoseconds(now).toString(16)}`, namespace },
    eventTime: microTime(now),
    reportingController: 'kube-proxy',
    reportingInstance: `kube-proxy-${hostname}`.slice(0, INSTANCE_LENGTH),
    ...said,
    ...(note !== undefined && { note: note.slice(0, NOTE_LENGTH) }),
  }
}

function serviceRegarding(service: ObjectName): Regarding {
  const [namespace, name] = service.split('/') as [string, string]
  return { kind: 'Service', apiVersion: 'v1', namespace, name }
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n
}

/** RFC 3339 with exactly six digits, which is what the API server asks of this field. */
function microTime(ms: number): string {
  const micros = Math.round(ms * 1000)
  const seconds = new Date(Math.floor(micros / 1e6) * 1000).toISOString().slice(0, 19)
  return `${seconds}.${String(micros % 1_000_000).padStart(6, '0')}Z`
}
