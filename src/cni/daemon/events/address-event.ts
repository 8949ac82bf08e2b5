import type { WrittenEvent } from '#kubernetes/event-writer.ts'
import { hash8 } from '#values/digest.ts'

// Something about an address that the owner of a node or a pod should see → an Event of events.k8s.io/v1, as `kubectl describe`
// shows it there.

/** The node an Event comes from, and the time. */
export interface AddressReporter {
  readonly nodeName: string
  /** The name the operating system has for this host. */
  readonly hostname: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

export interface AddressEventContent {
  /** `namespace/name`; an Event about no pod is about the node. */
  readonly pod?: { readonly name: string; readonly uid?: string | undefined }
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly action: string
  readonly note: string
  /** Of two with the same, the API server keeps the first. Without it, each is an Event of its own. */
  readonly sameAs?: string
}

/** What the API server allows. */
const NOTE_LENGTH = 1024
const INSTANCE_LENGTH = 128
const COMPONENT = 'switchyard'

/** Events about what has no namespace stand in `default`. */
export function addressEvent({ nodeName, hostname, now }: AddressReporter, content: AddressEventContent): WrittenEvent {
  const { pod, type, reason, action, note, sameAs = `${note} ${now}` } = content
  const regarding = pod === undefined ? nodeRegarding(nodeName) : podRegarding(pod)
  const named = hash8(`${nodeName} ${reason} ${sameAs}`).toLowerCase()
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: {
      name: `${regarding.name.slice(0, 200)}.${named}`,
      namespace: 'namespace' in regarding ? regarding.namespace : 'default',
    },
    eventTime: new Date(now).toISOString().replace('Z', '000Z'),
    reportingController: COMPONENT,
    reportingInstance: `${COMPONENT}-${hostname}`.slice(0, INSTANCE_LENGTH),
    ...{ regarding, type, reason, action, note: note.slice(0, NOTE_LENGTH) },
  }
}

/** kubelet, too, gives its node's name for the uid: `kubectl describe node` looks for Events with either. */
function nodeRegarding(name: string) {
  return { apiVersion: 'v1', kind: 'Node', name, uid: name }
}

/** `kubectl describe pod` looks for Events with the uid of the pod. */
function podRegarding({ name: pod, uid }: NonNullable<AddressEventContent['pod']>) {
  const [namespace, name] = pod.split('/') as [string, string]
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, ...(uid !== undefined && { uid }) }
}
