import type { ObjectKind } from '#kubernetes/objects.ts'
import type { ExtraKind } from '#kubernetes/stats.ts'

// What is watched, with kube-proxy's own selectors: what no mode needs is not sent to five thousand nodes.

export interface Resource {
  readonly kind: ObjectKind
  readonly path: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /**
   * Without it more objects come, but no wrong ones: an API server that does not know the field is asked without it.
   */
  readonly optional?: 'fieldSelector'
  /**
   * An API server that does not serve it (404), or not to us (403), is asked again now and then; no sync waits for it.
   */
  readonly refusal?: 'means none'
}

export function watchedResources(nodeName: string, extras: readonly ExtraKind[] = []): readonly Resource[] {
  return [
    {
      kind: 'Service',
      path: '/api/v1/services',
      labelSelector: '!service.kubernetes.io/service-proxy-name',
      fieldSelector: 'spec.clusterIP!=None',
      optional: 'fieldSelector',
    },
    {
      kind: 'EndpointSlice',
      path: '/apis/discovery.k8s.io/v1/endpointslices',
      labelSelector: '!service.kubernetes.io/headless',
    },
    { kind: 'Node', path: '/api/v1/nodes', fieldSelector: `metadata.name=${nodeName}` },
    ...EXTRAS.filter(({ kind }) => extras.includes(kind)),
  ]
}

/** Every node of the cluster, for what divides ranges among them, or finds the way to them. */
export const ALL_NODES: Resource = { kind: 'Node', path: '/api/v1/nodes' }

const EXTRAS: readonly (Resource & { readonly kind: ExtraKind })[] = [
  { kind: 'ServiceCIDR', path: '/apis/networking.k8s.io/v1/servicecidrs', refusal: 'means none' },
]

export function pathOf(
  { path, labelSelector, fieldSelector }: Resource,
  query: Readonly<Record<string, string>>,
): string {
  const selectors = { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) }
  return `${path}?${new URLSearchParams({ ...query, ...selectors })}`
}

export function withoutFieldSelector({ fieldSelector: _, optional: __, ...resource }: Resource): Resource {
  return resource
}
