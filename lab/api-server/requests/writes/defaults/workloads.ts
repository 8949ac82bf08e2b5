import { podSpec } from './pods.ts'
import { type Fields, fieldsOf } from './values.ts'

// The spec of a Deployment or ReplicaSet → the same with what kube-apiserver fills in.

export function deploymentSpec(spec: Fields): Fields {
  const { strategy } = spec
  return {
    replicas: 1,
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    ...spec,
    ...template(spec),
    strategy: strategyOf(fieldsOf(strategy)),
  }
}

export function replicaSetSpec(spec: Fields): Fields {
  return { replicas: 1, ...spec, ...template(spec) }
}

function strategyOf(fields: Fields): Fields {
  const type = fields.type || 'RollingUpdate'
  if (type !== 'RollingUpdate') return { ...fields, type }
  const rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%', ...fieldsOf(fields.rollingUpdate) }
  return { ...fields, type, rollingUpdate }
}

function template({ template }: Fields): Fields {
  if (template === undefined) return {}
  const fields = fieldsOf(template)
  return { template: { ...fields, spec: podSpec(fieldsOf(fields.spec)) } }
}
