import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { parseArguments } from '#config/arguments.ts'
import { RANGES_METRICS } from '#config/table/rows-ranges.ts'
import { isDaemon } from '#config/verbs.ts'
import { dividedRanges } from '#ranges/controller/controller.ts'
import { rangesPage } from '#ranges/controller/pages.ts'
import { RECORD } from '#ranges/controller/ranges-service.ts'
import manifest from '../../package.json' with { type: 'json' }
import { ControlledCluster } from '../ranges/controller/controlled.ts'
import { KINDS } from './kinds.ts'
import { allowedBy, compared } from './roles.ts'
import { problems } from './shapes.ts'

// The controller of node ranges as it is applied to a cluster: sound by the API's shapes, and true of the program.

// biome-ignore lint/suspicious/noExplicitAny: API objects of every kind, whose shapes are what is tested
type Any = any

const FILE = new URL('../../manifests/pods/controller.yaml', import.meta.url)
const objects: readonly Any[] = parseAllDocuments(readFileSync(FILE, 'utf8')).map(document => {
  expect([...document.errors, ...document.warnings]).toEqual([])
  return document.toJS()
})
const only = (kind: string): Any => objects.find(object => object.kind === kind)
const { replicas, template } = only('Deployment').spec
const [controller] = template.spec.containers

async function settingsOf(words: readonly string[]) {
  const parsed = await parseArguments('ranges', words, () => Promise.reject(new Error('no file here')))
  if (!parsed.ok) throw new Error(parsed.problems.join('; '))
  return parsed
}

describe('the manifest of the controller of node ranges', () => {
  test.each(objects.map(object => [`${object.kind} ${object.metadata.name}`, object]))(
    '%s has the shape of the API',
    (_, object) => expect(problems(object, KINDS[`${object.apiVersion} ${object.kind}`]!)).toEqual([]),
  )

  test('runs two of this version, not on one node, under a service account of their own and without any right on the node', () => {
    expect([replicas, controller.image]).toEqual([2, `switchyard:v${manifest.version}`])
    const { name, namespace } = only('ServiceAccount').metadata
    expect(template.spec.serviceAccountName).toBe(name)
    for (const kind of ['ClusterRole', 'Role']) {
      const { roleRef, subjects } = only(`${kind}Binding`)
      expect([roleRef.kind, roleRef.name]).toEqual([kind, only(kind).metadata.name])
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name, namespace }])
    }
    const [apart] = template.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution
    expect(apart.labelSelector.matchLabels).toEqual(template.metadata.labels)
    expect(controller.securityContext).toMatchObject({ privileged: false, capabilities: { drop: ['ALL'] } })
    expect(template.spec.securityContext.runAsNonRoot).toBe(true)
  })

  test('calls the program with words that it knows, and ranges that can be divided', async () => {
    const [verb, ...words] = controller.command.slice(1)
    expect(verb).toBe('ranges')
    const { settings, operands, warnings } = await settingsOf(words)
    expect([operands, warnings, isDaemon('ranges', operands)]).toEqual([['controller'], [], true])
    expect(dividedRanges(settings)).toMatchObject({ ok: true, ranges: [{ range: '10.244.0.0/16', nodeMask: 24 }] })
    expect(settings.ranges.leader).toMatchObject({ elect: true, namespace: only('Role').metadata.namespace })
    const names = only('Role').rules.flatMap((rule: Any) => rule.resourceNames ?? [])
    expect(names).toEqual([RECORD.name, settings.ranges.leader.name])
  })

  test('probes pages that are there, where they are served', () => {
    const shown = { metrics: () => '', trouble: () => undefined }
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
      const { host, port, path } = controller[probe].httpGet
      expect(`${host}:${port}`).toBe(RANGES_METRICS)
      expect(rangesPage({ path }, shown).status).toBe(200)
    }
  })

  test.each(['streams lists', 'lists in pages'] as const)(
    'allows what it asks of an API server that %s, and nothing else',
    async age => {
      const cluster = await ControlledCluster.start()
      if (age === 'lists in pages') cluster.server.inject({ do: 'refuse-watch-list', how: 'status-400' })
      cluster.join('a')
      const flags = ['--leader-elect=true', '--cluster-cidr=10.244.0.0/24']
      await cluster.controller(...flags)
      await cluster.served('a')
      // Whether a Node is gone is asked; what cannot be given is an Event; the Lease is renewed.
      cluster.join('b')
      cluster.leave('a')
      await cluster.until(() => / gone-since=/.test(cluster.record))
      await cluster.until(async () => (await cluster.events()).some(({ reason }) => reason === 'CIDRNotAvailable'))
      await cluster.pass(3000)
      const { requests } = cluster.server
      await cluster.close()
      const made = requests.filter(({ path, method }) => !(method === 'GET' && /\/events$/.test(path)))
      const { forbidden, unused } = compared(allowedBy(objects), made)
      // A streamed list is a watch.
      expect({ forbidden, unused }).toEqual({ forbidden: [], unused: age === 'streams lists' ? ['list /nodes'] : [] })
    },
  )
})
