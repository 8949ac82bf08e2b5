import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { LEASES_PATH } from '#ipam/leases/sqlite-lease-book.ts'
import manifest from '../../package.json' with { type: 'json' }
import { KINDS } from './kinds.ts'
import { type AnyObject, kustomized } from './kustomized.ts'
import { problems } from './shapes.ts'

// What is applied to a cluster that goes over from other plugins to ours, and on its way back.

const FOLDER = join(import.meta.dirname, '../../manifests/change-over')
/** By case: where host-local keeps its leases. */
const CASES = {
  'host-local': '/var/lib/cni/networks',
  flannel: '/var/lib/cni/networks',
  kindnet: '/run/cni-ipam-state',
}
const WAYS = Object.keys(CASES).flatMap(name => [name, `${name}/back`])

const objectsOf = (way: string): readonly AnyObject[] => kustomized(join(FOLDER, way))
const daemonSetOf = (way: string): AnyObject => objectsOf(way).find(({ kind }) => kind === 'DaemonSet')
const podOf = (way: string): AnyObject => daemonSetOf(way).spec.template.spec

test('there are folders for these cases, each with its way back', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(Object.keys(CASES).sort())
})

describe.each(WAYS)('%s', way => {
  test('has the shape of the API, and one image', () => {
    for (const object of objectsOf(way))
      expect(problems(object, KINDS[`${object.apiVersion} ${object.kind}`]!)).toEqual([])
    const { initContainers, containers } = podOf(way)
    const images = [...initContainers, ...containers].map(({ image }: AnyObject) => image)
    expect(new Set(images)).toEqual(new Set([`switchyard:v${manifest.version}`]))
    expect(daemonSetOf(way).spec.selector.matchLabels).toEqual(daemonSetOf(way).spec.template.metadata.labels)
  })

  test('mounts what is there, at the paths of the host, and nothing that is not mounted', () => {
    const { initContainers, containers, volumes } = podOf(way)
    const mounts = [...initContainers, ...containers].flatMap(({ volumeMounts = [] }: AnyObject) => volumeMounts)
    expect(new Set(mounts.map(({ name }: AnyObject) => name))).toEqual(
      new Set(volumes.map(({ name }: AnyObject) => name)),
    )
    for (const { name, mountPath } of mounts) {
      const { hostPath } = volumes.find((volume: AnyObject) => volume.name === name)
      if (hostPath !== undefined) expect(hostPath.path).toBe(mountPath)
    }
  })

  test('calls the program with words that it knows, on what is mounted', async () => {
    const [{ command, volumeMounts }] = podOf(way).initContainers
    const [program, verb, ...argv] = command
    const parsed = await parseArguments(verb, argv, () => Promise.reject(new Error('no file here')))
    const dataDir = CASES[way.replace('/back', '') as keyof typeof CASES]
    expect([program, parsed]).toMatchObject([
      '/usr/local/bin/switchyard',
      way.endsWith('back')
        ? { ok: true, operands: ['uninstall'], settings: { cni: { exportTo: dataDir, binDirs: ['/opt/cni/bin'] } } }
        : {
            ok: true,
            operands: ['install'],
            settings: { cni: { importFrom: dataDir, binDirs: ['/opt/cni/bin'], replaceStandardPlugins: true } },
          },
    ])
    const mounted = volumeMounts.map(({ mountPath }: AnyObject) => mountPath)
    for (const path of [dataDir, LEASES_PATH, '/opt/cni/bin', '/var/lib/cni/results']) {
      expect(mounted.some((mount: string) => `${path}/`.startsWith(`${mount}/`))).toBe(true)
    }
  })

  test('has its own commands in its comment', () => {
    const text = readFileSync(join(FOLDER, way, 'kustomization.yaml'), 'utf8')
    const folder = `manifests/change-over/${way.replace('/back', '')}`
    expect(text.match(/manifests\/change-over\/[\w-]+/g)!.every(named => named === folder)).toBe(true)
  })
})

test.each(Object.keys(CASES))('%s brings no network of its own: that which is there stays', name => {
  expect(
    objectsOf(name)
      .map(({ kind }) => kind)
      .sort(),
  ).toEqual(['ClusterRole', 'ClusterRoleBinding', 'DaemonSet', 'ServiceAccount'])
  expect(podOf(name).containers[0].lifecycle).toBeUndefined()
})
