import type { Kind } from '../objects.ts'

// What is watched, with kube-proxy's own selectors: what nobody needs is not sent to five thousand nodes.

export interface Resource {
  readonly kind: Kind
  readonly path: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** Without it more would come, but nothing wrong: an API server that does not know the field is asked without. */
  readonly optional?: 'fieldSelector'
}

export function watchedResources(nodeName: string): readonly Resource[] {
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
  ]
}

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
