import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readSessionFlags } from '#lab/cluster/session/flags.ts'

test('without flags there are two nodes with ranges of their own', () => {
  const { options, rest, problems } = readSessionFlags([])
  expect([rest, problems]).toEqual([[], []])
  expect(options).toEqual({
    ...{ nodes: 2, ipam: 'node', runtime: 'namespaces', services: {}, install: 'if-missing' },
    ...{ kubectl: 'as-it-is', output: 'all' },
  })
})

test('a value stands behind = or is the next word, and what is not of the cluster goes to the agents', () => {
  const words = [
    '--nodes',
    '5',
    '--proxy-mode=nftables',
    '--exec=kubectl get nodes',
    '-v=4',
    '--quiet',
    '--ipam',
    'ring',
  ]
  const { options, rest, problems } = readSessionFlags(words)
  expect([rest, problems]).toEqual([['--proxy-mode=nftables', '-v=4'], []])
  expect(options).toMatchObject({ nodes: 5, ipam: 'ring', exec: 'kubectl get nodes', output: 'quiet' })
})

test('a database is found from where the program was started', () => {
  const path = join(tmpdir(), 'cluster.db')
  expect(readSessionFlags([`--database=${path}`]).options.database).toBe(path)
})

test('a built program is found from where the program was started', () => {
  const folder = mkdtempSync(join(tmpdir(), 'session-flags-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'switchyard.js'), '')
  expect(readSessionFlags([`--dist=${relative('.', folder)}`])).toMatchObject({
    options: { dist: folder },
    problems: [],
  })
})

test.each([
  [['--nodes=0'], '--nodes: "0" is no number of nodes from 1 to 200'],
  [['--nodes=many'], '--nodes: "many" is no number of nodes from 1 to 200'],
  [['--nodes'], '--nodes: a value is missing: --nodes=N'],
  [['--ipam=weave'], '--ipam: "weave" must be node or ring'],
  [['--runtime=docker'], '--runtime: "docker" must be namespaces or containerd'],
  [['--quiet=yes'], '--quiet takes no value, got "yes"'],
  [['--database=/no/such/folder/x'], '--database: /no/such/folder is no folder that can be written to'],
  [[`--database=${tmpdir()}`], `--database: ${tmpdir()} is a folder; name a file in it`],
  [['--dist=/no/such/folder'], '--dist: /no/such/folder has no switchyard.js: "npm run build" makes one'],
  [
    ['--service-cluster-ip-range=10.244.128.0/20'],
    '--service-cluster-ip-range: 10.244.128.0/20 overlaps 10.244.0.0/16, from which pods or nodes have addresses',
  ],
  [
    ['--ipam=ring', '--service-cluster-ip-range=10.40.0.0/16'],
    '--service-cluster-ip-range: 10.40.0.0/16 overlaps 10.32.0.0/12, from which pods or nodes have addresses',
  ],
  [['--master=http://x'], '--master: the cluster has an API server of its own'],
  [['--hostname-override=x'], '--hostname-override: each node has its own name: node-1, node-2 …'],
])('%j is refused in one line', (words, line) => {
  expect(readSessionFlags(words).problems).toContain(line)
})

test('a range for Services that pods have elsewhere is none of theirs here', () => {
  expect(readSessionFlags(['--service-cluster-ip-range=10.40.0.0/16,fd10:96::/112']).problems).toEqual([])
})

test('every problem is named', () => {
  expect(readSessionFlags(['--nodes=0', '--ipam=x', '--service-node-port-range=x']).problems).toHaveLength(3)
})

test.each([
  'nodes',
  'ipam',
  'runtime',
  'database',
  'dist',
  'exec',
  'service-cluster-ip-range',
  'service-node-port-range',
])('--%s without a value is one problem', name => {
  for (const argv of [[`--${name}`], [`--${name}=`]])
    expect(readSessionFlags(argv).problems).toEqual([
      expect.stringMatching(new RegExp(`^--${name}: a value is missing: --${name}=`)),
    ])
})
