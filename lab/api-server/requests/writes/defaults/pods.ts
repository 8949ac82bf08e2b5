import { type Fields, fieldsOf, listOf } from './values.ts'

// The spec of a pod, or of a pod template → the same with what kube-apiserver fills in.

const DEFAULT_MODE = 0o644

export function podSpec(spec: Fields): Fields {
  return {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    ...spec,
    ...containersOf('initContainers', spec),
    ...containersOf('containers', spec),
    ...(Array.isArray(spec.volumes) && { volumes: spec.volumes.map(volume) }),
  }
}

/** What a pod gets and a template does not. */
export function runningPodSpec(spec: Fields): Fields {
  return { enableServiceLinks: true, ...podSpec(spec) }
}

/** What the admission of a real cluster adds to a new pod. */
export function admittedPodSpec(spec: Fields, tolerationSeconds: number): Fields {
  const account = String(spec.serviceAccountName ?? 'default')
  return {
    ...spec,
    serviceAccountName: account,
    serviceAccount: account,
    tolerations: tolerations(spec.tolerations, tolerationSeconds),
    priority: spec.priority ?? 0,
    preemptionPolicy: spec.preemptionPolicy ?? 'PreemptLowerPriority',
  }
}

/** A pod stays for so long on a node that is lost. */
function tolerations(list: unknown, tolerationSeconds: number): readonly unknown[] {
  const own = listOf(list)
  const added = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'].flatMap(key => {
    const tolerates = ({ key: known, operator }: Fields) => known === key || (!known && operator === 'Exists')
    if (own.some(it => tolerates(fieldsOf(it)))) return []
    return [{ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }]
  })
  return [...own, ...added]
}

/** Guaranteed where all limits are set and requested, Burstable where anything is requested. */
export function qosClass(spec: Fields): 'BestEffort' | 'Burstable' | 'Guaranteed' {
  const all = [...listOf(spec.initContainers), ...listOf(spec.containers)].map(it => fieldsOf(fieldsOf(it).resources))
  const named = all.some(it => sizeOf(it.limits) + sizeOf(it.requests) > 0)
  if (!named) return 'BestEffort'
  const isWhole = all.every(({ limits, requests }) =>
    ['cpu', 'memory'].every(part => {
      const limit = fieldsOf(limits)[part]
      return limit !== undefined && limit === (fieldsOf(requests)[part] ?? limit)
    }),
  )
  return isWhole ? 'Guaranteed' : 'Burstable'
}

function containersOf(field: 'containers' | 'initContainers', spec: Fields): Fields {
  const list = spec[field]
  return Array.isArray(list) ? { [field]: list.map(item => container(fieldsOf(item), spec.hostNetwork === true)) } : {}
}

function container(fields: Fields, onHost: boolean): Fields {
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].filter(name => fields[name])
  return {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: pullPolicy(String(fields.image ?? '')),
    ...fields,
    resources: resources(fieldsOf(fields.resources)),
    ...(Array.isArray(fields.ports) && { ports: fields.ports.map(item => port(fieldsOf(item), onHost)) }),
    ...(Array.isArray(fields.env) && { env: fields.env.map(variable) }),
    ...Object.fromEntries(probes.map(name => [name, probe(fieldsOf(fields[name]))])),
  }
}

/** `:latest`, or no tag at all, may be another image tomorrow. */
function pullPolicy(image: string): string {
  const [, tag] = /:([^/:@]+)(?:@.*)?$/.exec(image) ?? []
  return image.includes('@') || (tag !== undefined && tag !== 'latest') ? 'IfNotPresent' : 'Always'
}

function resources(fields: Fields): Fields {
  if (sizeOf(fields.limits) === 0) return fields
  return { ...fields, requests: { ...fieldsOf(fields.limits), ...fieldsOf(fields.requests) } }
}

function port(fields: Fields, onHost: boolean): Fields {
  const hostPort = onHost && !fields.hostPort ? { hostPort: fields.containerPort } : {}
  return { ...fields, protocol: fields.protocol ?? 'TCP', ...hostPort }
}

function variable(item: unknown): Fields {
  const fields = fieldsOf(item)
  const { fieldRef } = fieldsOf(fields.valueFrom)
  if (fieldRef === undefined) return fields
  const reference = { apiVersion: 'v1', ...fieldsOf(fieldRef) }
  return { ...fields, valueFrom: { ...fieldsOf(fields.valueFrom), fieldRef: reference } }
}

function probe(fields: Fields): Fields {
  const { httpGet } = fields
  return {
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
    ...fields,
    ...(httpGet !== undefined && { httpGet: { path: '/', scheme: 'HTTP', ...fieldsOf(httpGet) } }),
  }
}

function volume(item: unknown): Fields {
  const fields = fieldsOf(item)
  const withMode = (name: string) => ({ ...fields, [name]: { defaultMode: DEFAULT_MODE, ...fieldsOf(fields[name]) } })
  for (const name of ['configMap', 'secret', 'downwardAPI', 'projected']) if (fields[name]) return withMode(name)
  return Object.keys(fields).length > 1 ? fields : { ...fields, emptyDir: {} }
}

function sizeOf(value: unknown): number {
  return Object.keys(fieldsOf(value)).length
}
