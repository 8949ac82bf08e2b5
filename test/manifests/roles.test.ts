import { expect, test } from 'vitest'
import type { SeenRequest } from '#lab/api-server/server.ts'
import { allowedBy, compared, type RoleObject } from './roles.ts'

const CLUSTER: RoleObject = {
  kind: 'ClusterRole',
  metadata: {},
  rules: [{ verbs: ['list', 'watch'], apiGroups: [''], resources: ['nodes'] }],
}
const RING: RoleObject = {
  kind: 'Role',
  metadata: { namespace: 'kube-system' },
  rules: [
    { verbs: ['get', 'update', 'watch'], apiGroups: [''], resources: ['configmaps'], resourceNames: ['ring'] },
    { verbs: ['create'], apiGroups: [''], resources: ['configmaps'] },
  ],
}

const seen = (method: string, path: string, query: Readonly<Record<string, string>> = {}) =>
  ({ method, path, query }) as unknown as SeenRequest
const MAPS = '/api/v1/namespaces/kube-system/configmaps'

test('a role in one namespace allows what is asked there, of the objects it names', () => {
  const allowed = allowedBy([CLUSTER, RING])
  const right = [
    seen('GET', '/api/v1/nodes'),
    seen('GET', '/api/v1/nodes', { watch: 'true' }),
    seen('GET', `${MAPS}/ring`),
    seen('PUT', `${MAPS}/ring`),
    seen('POST', MAPS),
    seen('GET', MAPS, { watch: 'true', fieldSelector: 'metadata.name=ring' }),
  ]
  expect(compared(allowed, right)).toEqual({ forbidden: [], unused: [] })
})

test('what no role allows is named, and so is a right that nothing needs', () => {
  const wrong = [
    seen('GET', `${MAPS}/other`),
    seen('PUT', '/api/v1/namespaces/default/configmaps/ring'),
    seen('DELETE', '/api/v1/nodes/here'),
    seen('GET', '/api/v1/nodes'),
    seen('GET', MAPS, { watch: 'true' }),
  ]
  expect(compared(allowedBy([CLUSTER, RING]), wrong)).toEqual({
    forbidden: [
      'delete /nodes/here',
      'get /configmaps/other in kube-system',
      'update /configmaps/ring in default',
      'watch /configmaps in kube-system',
    ],
    unused: [
      'create /configmaps in kube-system',
      'get /configmaps/ring in kube-system',
      'update /configmaps/ring in kube-system',
      'watch /configmaps/ring in kube-system',
      'watch /nodes',
    ],
  })
})
