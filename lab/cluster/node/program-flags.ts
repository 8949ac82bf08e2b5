import type { Family } from '#values/address.ts'
import { CLUSTER_CIDRS } from '../link.ts'

// A node → the flags of the two programs on it, as the manifests have them.

export interface NodeFlagOptions {
  /** Where addresses of pods come from: the range of each Node, or one that the nodes divide. */
  readonly ipam?: 'node' | 'ring'
  /** Of `switchyard run` on each node, behind those of the cluster. */
  readonly flags?: readonly string[]
}

export interface NodeAccess {
  readonly name: string
  readonly kubeconfig: string
  readonly netD: string
  readonly families: readonly Family[]
}

/** Weave's. */
export const RING_RANGE = '10.32.0.0/12'

/** As in manifests/cluster. */
export function daemonFlags({ name, kubeconfig, netD, families }: NodeAccess, { ipam }: NodeFlagOptions) {
  const source =
    ipam === 'ring'
      ? ['--ranges-from=ring', `--ipalloc-range=${RING_RANGE}`]
      : ['--ranges-from=node', `--cluster-cidr=${clusterCIDR(families)}`]
  return [`--kubeconfig=${kubeconfig}`, `--hostname-override=${name}`, `--conf-dir=${netD}`, ...source]
}

/** Limits of connection tracking, and who is ended where memory is short, are the machine's: they stay as they are. */
export function agentFlags({ name, kubeconfig, families }: NodeAccess, { ipam, flags = [] }: NodeFlagOptions) {
  const pods = ipam === 'ring' ? RING_RANGE : clusterCIDR(families)
  const machine = ['--conntrack-max-per-core=0', '--conntrack-min=0', '--oom-score-adj=0']
  const access = [`--kubeconfig=${kubeconfig}`, `--hostname-override=${name}`]
  return [...access, `--cluster-cidr=${pods}`, '--healthz-bind-address=0.0.0.0:10256', ...machine, ...flags]
}

function clusterCIDR(families: readonly Family[]): string {
  return CLUSTER_CIDRS.slice(0, families.length).join(',')
}
