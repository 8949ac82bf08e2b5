import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { SEED_NODE, SEED_OBJECTS } from '#lab/network/seed.ts'
import { served } from '../effects/served.ts'
import { freePort } from '../support/local-ports.ts'
import { permission } from './requests.ts'

// The program with kubeadm's own configuration file, from its start over the loss of its API server: whatever it asks for
// on the way is in its role.

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

interface Role {
  readonly rules: readonly Readonly<Record<'verbs' | 'apiGroups' | 'resources', readonly string[]>>[]
}

function allowed(): ReadonlySet<string> {
  const documents = parseAllDocuments(read('manifests/rbac.yaml')).map(document => document.toJS() as { kind: string })
  const role = documents.find(({ kind }) => kind === 'ClusterRole') as unknown as Role
  return new Set(
    role.rules.flatMap(({ verbs, apiGroups, resources }) =>
      verbs.flatMap(verb => apiGroups.flatMap(group => resources.map(resource => `${verb} ${group}/${resource}`))),
    ),
  )
}

test('asks for nothing that its role forbids', { timeout: 90_000 }, async () => {
  await served(async ({ program, server, start }) => {
    for (const object of SEED_OBJECTS) server.store.put(object)
    const kubeconfig = { clusters: [{ name: 'here', cluster: { server: server.url } }], 'current-context': 'here' }
    const contexts = [{ name: 'here', context: { cluster: 'here', user: '' } }]
    const file = program.file('kubeconfig.conf', JSON.stringify({ ...kubeconfig, contexts }))
    const config = read('fixtures/config/kubeadm-config.conf')
      .replace('/var/lib/kube-proxy/kubeconfig.conf', file)
      .replace('healthzBindAddress: ""', `healthzBindAddress: 127.0.0.1:${await freePort()}`)
      .replace('metricsBindAddress: ""', `metricsBindAddress: 127.0.0.1:${await freePort()}`)
    const { stop } = start(`--config=${program.file('config.conf', config)}`, `--hostname-override=${SEED_NODE}`)
    const asked = (): ReadonlySet<string> => new Set(server.requests.map(permission))
    const soon = { timeout: 30_000 }
    await expect.poll(() => program.asked, soon).toContain('default/db-service')
    await expect.poll(asked, soon).toContain('create events.k8s.io/events')
    const before = server.requests.length
    server.dropConnections()
    await expect.poll(() => server.requests.length, soon).toBeGreaterThan(before + 2)
    await stop()
    expect([...asked()].filter(request => !allowed().has(request))).toEqual([])
  })
})
