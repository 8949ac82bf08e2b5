import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { podsPage } from '#cni/daemon/pages.ts'
import { SOCKET } from '#cni/daemon/service.ts'
import { parseNetworkList } from '#cni/runner/network-list.ts'
import { parseArguments } from '#config/arguments.ts'
import { PODS_METRICS } from '#config/table/rows-pods.ts'
import { LEASES_PATH } from '#ipam/leases/sqlite-lease-book.ts'
import manifest from '../../package.json' with { type: 'json' }
import { KINDS } from './kinds.ts'
import { podsRequestsMade } from './pods-requests.ts'
import { allowedBy, compared } from './roles.ts'
import { problems } from './shapes.ts'

// What is applied to a cluster for the pod network: sound by the API's shapes, and true of the program.

const FOLDER = join(import.meta.dirname, '../../manifests/pods')

// biome-ignore lint/suspicious/noExplicitAny: API objects of every kind, whose shapes are what is tested
type Any = any

const objects: readonly Any[] = ['configmap.yaml', 'daemonset.yaml', 'rbac.yaml'].flatMap(name =>
  parseAllDocuments(readFileSync(join(FOLDER, name), 'utf8')).map(document => {
    expect([...document.errors, ...document.warnings]).toEqual([])
    return document.toJS()
  }),
)
const only = (kind: string): Any => objects.find(object => object.kind === kind)
const pod = only('DaemonSet').spec.template.spec
const [daemon] = pod.containers
const hostPaths = new Map<string, Any>(pod.volumes.map(({ name, hostPath }: Any) => [name, hostPath]))
const mounts: readonly Any[] = daemon.volumeMounts
const postStart: readonly string[] = daemon.lifecycle.postStart.exec.command

describe('the manifests of the pod network', () => {
  test.each(objects.map(object => [`${object.kind} ${object.metadata.name}`, object]))(
    '%s has the shape of the API',
    (_, object) => expect(problems(object, KINDS[`${object.apiVersion} ${object.kind}`]!)).toEqual([]),
  )

  test('are all in kustomization.yaml, which names the image once', () => {
    const text = readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8')
    const { resources, images } = parse(text) as { readonly resources: readonly string[]; readonly images: object[] }
    const files = readdirSync(FOLDER).filter(name => name.endsWith('.yaml') && name !== 'kustomization.yaml')
    // Another program may give Nodes their ranges, and two must not: that is for an operator to choose.
    expect([...resources, 'controller.yaml'].sort()).toEqual(files.sort())
    expect(text).toContain('  # - controller.yaml\n')
    expect(images).toEqual([{ name: 'switchyard', newName: 'switchyard', newTag: `v${manifest.version}` }])
  })

  test('run this version, under a service account of their own', () => {
    expect(daemon.image).toBe(`switchyard:v${manifest.version}`)
    const { name, namespace } = only('ServiceAccount').metadata
    expect(pod.serviceAccountName).toBe(name)
    expect(only('ClusterRoleBinding').subjects).toEqual([{ kind: 'ServiceAccount', name, namespace }])
    expect(only('ClusterRoleBinding').roleRef.name).toBe(only('ClusterRole').metadata.name)
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(objects.map(() => 'switchyard-pods'))
  })

  test('allow what the daemon asks of the API server, and nothing else', async () => {
    expect(compared(allowedBy(objects), await podsRequestsMade())).toEqual({ forbidden: [], unused: [] })
  })

  test('call the program with words that it knows', async () => {
    const words = (command: readonly string[]): readonly string[] => command.slice(1)
    expect(words(daemon.command)[0]).toBe('pods')
    const flags = words(daemon.command)
      .slice(1)
      .map(word => word.replace('$(NODE_NAME)', 'node-1'))
    const run = await parseArguments('pods', flags, unwanted)
    expect(run).toMatchObject({ ok: true, settings: { hostnameOverride: 'node-1' } })
    expect(daemon.env).toEqual([{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }])
    const install = await parseArguments('cni', words(postStart).slice(1), unwanted)
    expect(install).toMatchObject({
      ok: true,
      operands: ['install', '/etc/switchyard/10-switchyard.conflist'],
      settings: { cni: { binDirs: ['/opt/cni/bin'], confDir: '/etc/cni/net.d' } },
    })
  })

  test('mount what the program uses at the paths of the host', () => {
    const mounted = (path: string): Any => mounts.find(({ mountPath }) => path.startsWith(`${mountPath}/`))
    for (const path of [SOCKET, LEASES_PATH, '/run/netns/x', '/opt/cni/bin/x', '/etc/cni/net.d/x', '/var/lib/cni/x']) {
      const { name, mountPath, readOnly } = mounted(path)
      expect([path, hostPaths.get(name).path, readOnly]).toEqual([path, mountPath, undefined])
    }
    expect(mounted('/run/netns/x').mountPropagation).toBe('HostToContainer')
    expect(new Set(mounts.map(({ name }) => name))).toEqual(new Set(pod.volumes.map(({ name }: Any) => name)))
  })

  test('probe pages that are there, where they are served', async () => {
    const shown = { metrics: async () => '', trouble: async () => undefined }
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
      const { host, port, path } = daemon[probe].httpGet
      expect(`${host}:${port}`).toBe(PODS_METRICS)
      expect((await podsPage({ path }, shown)).status).toBe(200)
    }
  })

  test('bring a network whose every plugin is ours', () => {
    const [[name, text]] = Object.entries(only('ConfigMap').data) as [[string, string]]
    expect(postStart).toContain(`/etc/switchyard/${name}`)
    expect(hostPaths.has('network') && pod.volumes.find(({ name }: Any) => name === 'network').configMap.name).toBe(
      only('ConfigMap').metadata.name,
    )
    const { plugins, cniVersion } = parseNetworkList(text)
    expect([cniVersion, plugins.map(({ type }) => type)]).toEqual(['1.1.0', ['switchyard', 'switchyard']])
  })
})

async function unwanted(): Promise<string> {
  throw new Error('no file here')
}
