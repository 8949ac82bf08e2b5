import type { Fields, Shape } from './shapes.ts'

// The API objects that stand in manifests/, with the fields that Kubernetes 1.36 knows of what we use there.

const strings: Shape = { listOf: 'string' }
const stringMap: Shape = { mapOf: 'string' }
const some = (optional: Readonly<Record<string, Shape>>): Fields => ({ required: {}, optional })

const metadata: Fields = {
  required: { name: 'string' },
  optional: { namespace: 'string', labels: stringMap, annotations: stringMap },
}

const selector = some({
  matchLabels: stringMap,
  matchExpressions: {
    listOf: {
      required: { key: 'string', operator: { oneOf: ['In', 'NotIn', 'Exists', 'DoesNotExist'] } },
      optional: { values: strings },
    },
  },
})

const seccompProfile: Fields = {
  required: { type: { oneOf: ['RuntimeDefault', 'Unconfined', 'Localhost'] } },
  optional: { localhostProfile: 'string' },
}

const users = { runAsUser: 'int', runAsGroup: 'int', runAsNonRoot: 'bool', seccompProfile } as const

const containerSecurity = some({
  ...users,
  privileged: 'bool',
  allowPrivilegeEscalation: 'bool',
  readOnlyRootFilesystem: 'bool',
  procMount: { oneOf: ['Default', 'Unmasked'] },
  capabilities: some({ add: strings, drop: strings }),
})

const podSecurity = some({
  ...users,
  fsGroup: 'int',
  supplementalGroups: { listOf: 'int' },
  sysctls: { listOf: { required: { name: 'string', value: 'string' } } },
})

const probe: Fields = {
  required: {},
  optional: {
    httpGet: {
      required: { port: 'int' },
      optional: { path: 'string', host: 'string', scheme: { oneOf: ['HTTP', 'HTTPS'] } },
    },
    exec: { required: { command: strings } },
    tcpSocket: { required: { port: 'int' }, optional: { host: 'string' } },
    initialDelaySeconds: 'int',
    periodSeconds: 'int',
    timeoutSeconds: 'int',
    successThreshold: 'int',
    failureThreshold: 'int',
    terminationGracePeriodSeconds: 'int',
  },
  exactlyOne: ['httpGet', 'exec', 'tcpSocket'],
}

const environment: Fields = {
  required: { name: 'string' },
  optional: {
    value: 'string',
    valueFrom: some({ fieldRef: { required: { fieldPath: 'string' }, optional: { apiVersion: 'string' } } }),
  },
  exactlyOne: ['value', 'valueFrom'],
}

const resources = some({
  requests: some({ cpu: 'quantity', memory: 'quantity' }),
  limits: some({ cpu: 'quantity', memory: 'quantity' }),
})

const volumeMount: Fields = {
  required: { name: 'string', mountPath: 'string' },
  optional: {
    readOnly: 'bool',
    subPath: 'string',
    mountPropagation: { oneOf: ['None', 'HostToContainer', 'Bidirectional'] },
  },
}

const container: Fields = {
  required: { name: 'string', image: 'string' },
  optional: {
    imagePullPolicy: { oneOf: ['Always', 'IfNotPresent', 'Never'] },
    command: strings,
    args: strings,
    workingDir: 'string',
    env: { listOf: environment },
    resources,
    securityContext: containerSecurity,
    lifecycle: some({ postStart: some({ exec: { required: { command: strings } } }) }),
    startupProbe: probe,
    readinessProbe: probe,
    livenessProbe: probe,
    volumeMounts: { listOf: volumeMount },
  },
}

const {
  lifecycle: _,
  startupProbe: __,
  readinessProbe: ___,
  livenessProbe: ____,
  ...withoutProbes
} = container.optional!

const keys: Shape = { listOf: { required: { key: 'string', path: 'string' }, optional: { mode: 'int' } } }
const configMapRef = some({ name: 'string', optional: 'bool', items: keys })
const HOST_PATHS = ['', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice']

const volume: Fields = {
  required: { name: 'string' },
  optional: {
    configMap: some({ name: 'string', optional: 'bool', items: keys, defaultMode: 'int' }),
    projected: {
      required: { sources: { listOf: some({ configMap: configMapRef }) } },
      optional: { defaultMode: 'int' },
    },
    hostPath: { required: { path: 'string' }, optional: { type: { oneOf: HOST_PATHS } } },
    emptyDir: some({ medium: { oneOf: ['', 'Memory'] }, sizeLimit: 'quantity' }),
  },
  exactlyOne: ['configMap', 'projected', 'hostPath', 'emptyDir'],
}

const affinityTerm: Fields = { required: { topologyKey: 'string' }, optional: { labelSelector: selector } }

const podSpec: Fields = {
  required: { containers: { listOf: container } },
  optional: {
    initContainers: { listOf: { ...container, optional: withoutProbes } },
    volumes: { listOf: volume },
    hostNetwork: 'bool',
    dnsPolicy: { oneOf: ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'] },
    priorityClassName: 'string',
    serviceAccountName: 'string',
    automountServiceAccountToken: 'bool',
    enableServiceLinks: 'bool',
    nodeSelector: stringMap,
    tolerations: {
      listOf: some({
        key: 'string',
        operator: { oneOf: ['Exists', 'Equal'] },
        value: 'string',
        effect: { oneOf: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
      }),
    },
    securityContext: podSecurity,
    affinity: some({
      podAntiAffinity: some({ requiredDuringSchedulingIgnoredDuringExecution: { listOf: affinityTerm } }),
    }),
    terminationGracePeriodSeconds: 'int',
    restartPolicy: { oneOf: ['Always'] },
  },
}

const workload: Readonly<Record<string, Shape>> = {
  selector,
  template: { required: { metadata: some({ labels: stringMap, annotations: stringMap }), spec: podSpec } },
}

const rollingUpdate = some({ maxUnavailable: 'int or percent', maxSurge: 'int or percent' })

const deploymentSpec: Fields = {
  required: workload,
  optional: {
    replicas: 'int',
    minReadySeconds: 'int',
    revisionHistoryLimit: 'int',
    strategy: some({ type: { oneOf: ['RollingUpdate', 'Recreate'] }, rollingUpdate }),
  },
}

const daemonSetSpec: Fields = {
  required: workload,
  optional: {
    minReadySeconds: 'int',
    revisionHistoryLimit: 'int',
    updateStrategy: some({
      type: { oneOf: ['RollingUpdate', 'OnDelete'] },
      rollingUpdate,
    }),
  },
}

const subject: Fields = {
  required: { kind: { oneOf: ['ServiceAccount', 'User', 'Group'] }, name: 'string' },
  optional: { namespace: 'string', apiGroup: 'string' },
}

const RBAC = 'rbac.authorization.k8s.io'

const rules: Shape = {
  listOf: {
    required: { verbs: strings, apiGroups: strings, resources: strings },
    optional: { resourceNames: strings },
  },
}

const binding = (kinds: readonly string[]): Fields['required'] => ({
  roleRef: { required: { apiGroup: { oneOf: [RBAC] }, kind: { oneOf: kinds }, name: 'string' } },
  subjects: { listOf: subject },
})

/** By apiVersion and kind. */
export const KINDS: Readonly<Record<string, Shape>> = {
  'apps/v1 DaemonSet': object({ spec: daemonSetSpec }),
  'apps/v1 Deployment': object({ spec: deploymentSpec }),
  'v1 ServiceAccount': object({}, { automountServiceAccountToken: 'bool' }),
  'v1 ConfigMap': object({}, { data: stringMap, binaryData: stringMap, immutable: 'bool' }),
  [`${RBAC}/v1 ClusterRole`]: object({ rules }),
  [`${RBAC}/v1 Role`]: object({ rules }),
  [`${RBAC}/v1 ClusterRoleBinding`]: object(binding(['ClusterRole'])),
  [`${RBAC}/v1 RoleBinding`]: object(binding(['ClusterRole', 'Role'])),
}

function object(required: Fields['required'], optional: Fields['required'] = {}): Shape {
  return { required: { apiVersion: 'string', kind: 'string', metadata, ...required }, optional }
}
