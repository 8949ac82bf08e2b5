import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import manifest from '../../package.json' with { type: 'json' }
import { KINDS } from './kinds.ts'
import { type AnyObject, kustomized } from './kustomized.ts'
import { problems } from './shapes.ts'

// What is applied to a cluster whose nodes get their ranges from elsewhere than their configuration.

const FOLDER = join(import.meta.dirname, '../../manifests/cluster')
const objectsOf = (from: string): readonly AnyObject[] => kustomized(join(FOLDER, from))

describe.each(['node', 'ring'])('%s', from => {
  const pod = objectsOf(from).find(({ kind }) => kind === 'DaemonSet').spec.template.spec
  const [daemon] = pod.containers

  test('has the shape of the API, and one image', () => {
    for (const object of objectsOf(from))
      expect([object.kind, problems(object, KINDS[`${object.apiVersion} ${object.kind}`]!)]).toEqual([object.kind, []])
    expect(daemon.image).toBe(`switchyard:v${manifest.version}`)
  })

  test('calls the program with words that it knows', async () => {
    const noFile = () => Promise.reject(new Error('no file here'))
    const [, verb, ...argv] = daemon.command.map((word: string) => word.replace('$(NODE_NAME)', 'node-1'))
    const range = from === 'ring' ? { from, range: '10.32.0.0/12' } : { from }
    expect(await parseArguments(verb, argv, noFile)).toMatchObject({
      ok: true,
      warnings: [],
      settings: { hostnameOverride: 'node-1', podRanges: range, cni: { confDir: '/etc/cni/net.d' } },
    })
    const [, cni, ...install] = daemon.lifecycle.postStart.exec.command
    expect(await parseArguments(cni, install, noFile)).toMatchObject({ ok: true, operands: ['install'] })
  })

  test('brings no network that names a range, and mounts none', () => {
    expect(objectsOf(from).map(({ kind }) => kind)).not.toContain('ConfigMap')
    expect(daemon.volumeMounts.map(({ name }: AnyObject) => name).sort()).toEqual(
      pod.volumes.map(({ name }: AnyObject) => name).sort(),
    )
  })

  test('gives its rights to the service account that the daemon has', () => {
    const objects = objectsOf(from)
    for (const { roleRef, subjects } of objects.filter(({ kind }) => /Binding$/.test(kind))) {
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: pod.serviceAccountName, namespace: 'kube-system' }])
      expect(
        objects.filter(({ kind, metadata }) => kind === roleRef.kind && metadata.name === roleRef.name),
      ).toHaveLength(1)
    }
  })
})
