import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { parseArguments } from '#config/arguments.ts'
import { HEALTHZ_PORT } from '#config/defaults.ts'
import { loginFromKubeconfig } from '#kubernetes/access/kubeconfig.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { answerProbe } from '#proxy/agent/servers/probes.ts'
import { Health } from '#telemetry/health.ts'
import manifest from '../../package.json' with { type: 'json' }
import { KINDS } from './kinds.ts'
import { programsRun } from './programs.ts'
import { requestsMade } from './requests.ts'
import { problems } from './shapes.ts'

// What is applied to a cluster, and the image it names: sound by the API's shapes, and true of the program.

const FOLDER = new URL('../../manifests/', import.meta.url)
const FILES = ['configmap.yaml', 'daemonset.yaml', 'rbac.yaml']
const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

// biome-ignore lint/suspicious/noExplicitAny: API objects of every kind, whose shapes are what is tested
type Any = any

const text = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8')

function documents(name: string): readonly Any[] {
  return parseAllDocuments(text(name)).map(document => {
    expect([...document.errors, ...document.warnings]).toEqual([])
    return document.toJS()
  })
}

const objects: readonly Any[] = FILES.flatMap(documents)
const only = (kind: string): Any => {
  const found = objects.filter(object => object.kind === kind)
  expect(found).toHaveLength(1)
  return found[0]
}
const pod = only('DaemonSet').spec.template.spec
const [setup] = pod.initContainers
const [agent] = pod.containers
const configuration = only('ConfigMap').data

describe('the manifests', () => {
  test('are all that stands there for kubectl, which takes every YAML and JSON file of a folder', () => {
    expect(readdirSync(FOLDER).filter(name => /\.(ya?ml|json)$/.test(name))).toEqual(FILES)
  })

  test.each(objects.map(object => [`${object.kind} ${object.metadata.name}`, object]))(
    '%s has the shape of the API',
    (_, object) => {
      const shape = KINDS[`${object.apiVersion} ${object.kind}`]
      expect(shape, `${object.apiVersion} ${object.kind} is not known to this test`).toBeDefined()
      expect(problems(object, shape!)).toEqual([])
    },
  )

  test.each([
    [
      'a field that is not there',
      (o: Any) => {
        o.spec.template.spec.hostnetwork = true
      },
      '.spec.template.spec.hostnetwork: is no field',
    ],
    [
      'a missing field',
      (o: Any) => {
        delete o.spec.selector
      },
      '.spec.selector: is missing',
    ],
    [
      'a text for a number',
      (o: Any) => {
        o.spec.template.spec.containers[0].livenessProbe.periodSeconds = '30'
      },
      '.spec.template.spec.containers[0].livenessProbe.periodSeconds: "30" is no int',
    ],
    [
      'a word that is not one of them',
      (o: Any) => {
        o.spec.template.spec.dnsPolicy = 'None of them'
      },
      '.spec.template.spec.dnsPolicy: "None of them" is none of',
    ],
    [
      'a number for a variable',
      (o: Any) => {
        o.spec.template.spec.containers[0].env[0].value = 1
      },
      '.spec.template.spec.containers[0].env[0].value: 1 is no string',
    ],
    [
      'a volume of two kinds',
      (o: Any) => {
        o.spec.template.spec.volumes[1].emptyDir = {}
      },
      '.spec.template.spec.volumes[1]: needs exactly one of',
    ],
    [
      'a probe on an init container',
      (o: Any) => {
        o.spec.template.spec.initContainers[0].livenessProbe = {}
      },
      '.spec.template.spec.initContainers[0].livenessProbe: is no field',
    ],
  ])('would be refused with %s', (_, spoil, problem) => {
    const spoilt = structuredClone(only('DaemonSet'))
    spoil(spoilt)
    expect(problems(spoilt, KINDS['apps/v1 DaemonSet']!).join('\n')).toContain(problem)
  })

  test('name each other rightly', () => {
    const { name, namespace } = only('ServiceAccount').metadata
    expect(only('DaemonSet').metadata.namespace).toBe(namespace)
    expect(only('ConfigMap').metadata.namespace).toBe(namespace)
    expect(pod.serviceAccountName).toBe(name)
    expect(only('ClusterRoleBinding').subjects).toEqual([{ kind: 'ServiceAccount', name, namespace }])
    expect(only('ClusterRoleBinding').roleRef.name).toBe(only('ClusterRole').metadata.name)
    const { selector, template } = only('DaemonSet').spec
    expect(template.metadata.labels).toMatchObject(selector.matchLabels)
    expect(pod.volumes.find((volume: Any) => volume.name === 'config').projected.sources[0].configMap.name).toBe(
      only('ConfigMap').metadata.name,
    )
  })

  test("take nothing that is kubeadm's: what is deleted with them was made with them", () => {
    expect(objects.map(({ metadata }) => metadata.name)).toEqual(objects.map(() => 'switchyard'))
  })

  test('mount no volume that is not there, and have none that no container mounts', () => {
    const mounted = [...setup.volumeMounts, ...agent.volumeMounts].map(({ name }: Any) => name)
    expect(new Set(mounted)).toEqual(new Set(pod.volumes.map(({ name }: Any) => name)))
  })

  test('name one image, of this version', () => {
    expect([setup.image, agent.image]).toEqual([`switchyard:v${manifest.version}`, `switchyard:v${manifest.version}`])
    expect(text('Dockerfile')).toContain(`-t switchyard:v${manifest.version} .`)
  })

  test('are all in kustomization.yaml, which names the image once', () => {
    const kustomization = parse(readFileSync(new URL('../../kustomization.yaml', import.meta.url), 'utf8')) as {
      readonly resources: readonly string[]
      readonly images: readonly object[]
    }
    const files = readdirSync(FOLDER).filter(name => name.endsWith('.yaml'))
    expect(kustomization.resources).toEqual(files.sort().map(name => `manifests/${name}`))
    expect(kustomization.images).toEqual([
      { name: 'switchyard', newName: 'switchyard', newTag: `v${manifest.version}` },
    ])
  })
})

describe('the agent in its pod', () => {
  test('runs on every Linux node, before and after everything else', () => {
    expect(pod).toMatchObject({
      hostNetwork: true,
      priorityClassName: 'system-node-critical',
      tolerations: [{ operator: 'Exists' }],
      nodeSelector: { 'kubernetes.io/os': 'linux' },
    })
  })

  test('has no rights but two capabilities, each with its reason', () => {
    expect(agent.securityContext).toEqual({
      runAsUser: 0,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN', 'NET_RAW'] },
    })
    for (const capability of agent.securityContext.capabilities.add) {
      expect(text('daemonset.yaml')).toMatch(new RegExp(`^ +# .+\\n +- ${capability}$`, 'm'))
    }
  })

  test('sees of the host only the lock and its own folder, and may write only there and in memory', () => {
    const paths = agent.volumeMounts.map(({ mountPath, readOnly = false }: Any) => [mountPath, readOnly])
    expect(paths).toEqual([
      ['/var/lib/kube-proxy', true],
      ['/run/xtables.lock', false],
      ['/run/switchyard', false],
      ['/tmp', false],
    ])
    const tmp = pod.volumes.find(({ name }: Any) => name === 'tmp')
    expect(tmp.emptyDir.medium).toBe('Memory')
  })

  test('leaves to a container that ends before it what takes privileges', () => {
    expect(setup.securityContext).toEqual({ privileged: true, readOnlyRootFilesystem: true })
    expect(setup.volumeMounts.map(({ mountPath }: Any) => mountPath)).toContain('/lib/modules')
    for (const { readOnly, mountPath } of setup.volumeMounts) if (mountPath !== '/tmp') expect(readOnly).toBe(true)
  })

  test.each([
    ['the agent', agent, 'run'],
    ['setup', setup, 'init-only'],
  ])('%s is started with words it understands', async (_, { command }, action) => {
    const [program, ...words] = command
    expect(program).toBe('/usr/local/bin/switchyard')
    const argv = words.map((word: string) => word.replace('$(NODE_NAME)', 'node-1'))
    const [verb, flags] = argv[0] === 'setup' ? (['setup', argv.slice(1)] as const) : (['run', argv] as const)
    const parsed = await parseArguments(verb, flags, fileInPod)
    expect(parsed).toMatchObject({ ok: true, action, warnings: [] })
    if (verb === 'run') expect(parsed).toMatchObject({ settings: { hostnameOverride: 'node-1' } })
  })

  test('is asked for its health where and as it answers', () => {
    const health = new Health(new PaperClock(), { overdueMs: 1, silentMs: 1, stuckMs: 1 }, () => undefined)
    for (const probe of [agent.startupProbe, agent.readinessProbe, agent.livenessProbe]) {
      expect(probe.httpGet.port).toBe(HEALTHZ_PORT)
      expect(answerProbe(health, probe.httpGet.path).status).not.toBe(404)
    }
    const { livenessProbe: live } = agent
    // A node that is busy for minutes keeps its agent.
    expect(live.periodSeconds * live.failureThreshold).toBeGreaterThanOrEqual(300)
  })

  test('is not restarted on a node that comes up before its API server, and is not ready there', async () => {
    const clock = new PaperClock()
    const health = new Health(clock, { overdueMs: 60_000, silentMs: 300_000, stuckMs: 3_600_000 }, () => 0)
    health.expect('ipv4')
    const statuses = () =>
      ['startupProbe', 'livenessProbe', 'readinessProbe'].map(
        probe => answerProbe(health, agent[probe].httpGet.path).status,
      )
    expect(statuses()).toEqual([200, 200, 503])
    await clock.advance(30 * 24 * 3_600_000)
    expect(statuses()).toEqual([200, 200, 503])
  })
})

/** What the volume "config" shows, on a cluster without kubeadm's ConfigMap. */
async function fileInPod(path: string): Promise<string> {
  const { mountPath } = agent.volumeMounts.find(({ name }: Any) => name === 'config')
  const found = path.startsWith(`${mountPath}/`) ? configuration[path.slice(mountPath.length + 1)] : undefined
  if (found === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' })
  return found
}

describe('the settings', () => {
  test('are complete and sound', async () => {
    const parsed = await parseArguments('run', ['--config=/var/lib/kube-proxy/config.conf'], fileInPod)
    expect(parsed).toMatchObject({
      ok: true,
      warnings: [],
      settings: {
        mode: 'iptables',
        kubeconfig: '/var/lib/kube-proxy/kubeconfig.conf',
        healthz: { port: HEALTHZ_PORT },
        oomScoreAdj: -997,
      },
    })
  })

  test('log in as the service account of the pod', async () => {
    const file = '/var/lib/kube-proxy/kubeconfig.conf'
    const login = loginFromKubeconfig({ file, text: await fileInPod(file) })
    expect(login.identity).toMatchObject({ by: 'token-file', file: { path: TOKEN } })
    expect(login.server).toMatchObject({ secure: 'tls' })
  })

  test('have the file names of kubeadm, whose own settings go before them', () => {
    const { sources } = pod.volumes.find(({ name }: Any) => name === 'config').projected
    expect(sources).toEqual([
      { configMap: { name: 'switchyard' } },
      { configMap: { name: 'kube-proxy', optional: true } },
    ])
    expect(Object.keys(configuration)).toEqual(['config.conf', 'kubeconfig.conf'])
  })
})

describe('the role', () => {
  const allowed = (): ReadonlySet<string> =>
    new Set(
      only('ClusterRole').rules.flatMap(({ verbs, apiGroups, resources }: Any) =>
        verbs.flatMap((verb: string) =>
          apiGroups.flatMap((group: string) => resources.map((name: string) => `${verb} ${group}/${name}`)),
        ),
      ),
    )

  test('allows what the agent asks for, and nothing else', async () => {
    expect([...(await requestsMade())].sort()).toEqual([...allowed()].sort())
  })
})

describe('the role of kube-proxy, which stays where only the image is changed', () => {
  /** system:node-proxier, as every API server since 1.33 makes it. */
  const NODE_PROXIER = [
    ...['list', 'watch'].flatMap(verb => [
      ...['services', 'endpoints', 'nodes'].map(name => `${verb} /${name}`),
      `${verb} discovery.k8s.io/endpointslices`,
      `${verb} networking.k8s.io/servicecidrs`,
    ]),
    'get /nodes',
    ...['create', 'patch', 'update'].flatMap(verb => [`${verb} /events`, `${verb} events.k8s.io/events`]),
  ]

  test('allows what the agent asks for', async () => {
    expect([...(await requestsMade())].filter(request => !NODE_PROXIER.includes(request))).toEqual([])
  })
})

describe('the image', () => {
  const stages = text('Dockerfile')
    .split(/^(?=FROM )/m)
    .slice(1)
  const last = stages.at(-1)!

  test('is built in one place and shipped from another, each by its tag', () => {
    expect(stages).toHaveLength(2)
    for (const stage of stages) expect(stage).toMatch(/^FROM [a-z]+:[\w.-]+(?: AS \w+)?\n/)
    expect(last).not.toMatch(/\bnpm\b|node_modules/)
  })

  test('says what it is and of which version', () => {
    const labels = new Map(
      [...last.matchAll(/org\.opencontainers\.image\.(\w+)="([^"]+)"/g)].map(([, name, value]) => [name!, value!]),
    )
    expect([...labels.keys()]).toEqual(['title', 'description', 'version', 'licenses'])
    expect([labels.get('version'), labels.get('licenses')]).toEqual([manifest.version, manifest.license])
  })

  test('has every program that the code runs', () => {
    const installed = new Set(
      /apt-get install (?:--[\w-]+ )*\\\n((?: +[\w+-]+ \\\n)+)/.exec(last)![1]!.match(/[\w+-]+/g),
    )
    const missing = programsRun().filter(({ from }) => from !== 'debian' && !installed.has(from))
    expect(missing).toEqual([])
    const needed = new Set(programsRun().map(({ from }) => from))
    // What Node.js itself is linked with.
    const libraries = ['libatomic1', 'libstdc++6']
    expect([...installed].filter(name => !needed.has(name) && !libraries.includes(name))).toEqual([])
  })

  test('answers to both names', () => {
    for (const name of ['switchyard', 'kube-proxy']) {
      expect(last).toContain(`ln -s ../lib/switchyard/switchyard.js /usr/local/bin/${name}`)
    }
    expect(last).toContain('ENTRYPOINT ["/usr/local/bin/switchyard"]')
  })

  test('is built from what its context lets through', () => {
    const kept = text('Dockerfile.dockerignore')
      .split('\n')
      .flatMap(line => (line.startsWith('!') ? [line.slice(1)] : []))
    const copied = [...text('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) =>
      names!.split(' '),
    )
    expect(copied.sort()).toEqual(kept.sort())
  })
})
