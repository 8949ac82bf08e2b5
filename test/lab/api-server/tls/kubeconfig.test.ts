import { KubeConfig } from '@kubernetes/client-node'
import { expect, test } from 'vitest'
import { newAuthority } from '#lab/api-server/tls/authority.ts'
import { kubeconfigText } from '#lab/api-server/tls/kubeconfig.ts'

const authority = newAuthority(Date.now())
const base64 = (text: string) => Buffer.from(text).toString('base64')

test('a kubeconfig holds the authority and the certificate of the user, or a token', () => {
  const admin = authority.issue({ commonName: 'admin', organizations: ['system:masters'] })
  const config = new KubeConfig()
  const server = 'https://10.99.0.1:6443'
  config.loadFromString(kubeconfigText({ server, ca: authority.cert, user: { name: 'admin', ...admin } }))
  expect(config.getCurrentCluster()).toMatchObject({ server, caData: base64(authority.cert) })
  expect(config.getCurrentUser()).toMatchObject({ certData: base64(admin.cert), keyData: base64(admin.key) })
  config.loadFromString(kubeconfigText({ server, user: { name: 'agent', token: 'abc' }, cluster: 'lab' }))
  expect(config.getCurrentUser()).toMatchObject({ name: 'agent', token: 'abc' })
  expect(config.getCurrentContext()).toBe('agent@lab')
})
