// How a person asks the API server: with kubectl, or where there is none, with `api`, which the cluster brings along.

export interface Words {
  readonly nodes: string
  readonly pods: string
  readonly services: string
  scale(deployment: string, replicas: number): string
  deletePod(name: string): string
  /** A command in the network of a pod. */
  inPod(name: string, command: string): string
}

export const KUBECTL: Words = {
  nodes: 'kubectl get nodes -o wide',
  pods: 'kubectl get pods -o wide',
  services: 'kubectl get services',
  scale: (deployment, replicas) => `kubectl scale deployment ${deployment} --replicas=${replicas}`,
  deletePod: name => `kubectl delete pod ${name} --wait=false`,
  inPod: (name, command) => `kubectl exec ${name} -- ${command}`,
}

const DEFAULT = '/api/v1/namespaces/default'

export const API: Words = {
  nodes: 'api get /api/v1/nodes',
  pods: `api get ${DEFAULT}/pods`,
  services: `api get ${DEFAULT}/services`,
  scale: (deployment, replicas) =>
    `api patch /apis/apps/v1/namespaces/default/deployments/${deployment} '{"spec":{"replicas":${replicas}}}'`,
  deletePod: name => `api delete ${DEFAULT}/pods/${name}`,
  inPod: (name, command) => `pod ${name} ${command}`,
}
