import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { PLUGINS as OWN } from '#cni/daemon/machine.ts'
import { PLUGIN_KEYS } from '#cni/lint/keys/network-keys.ts'
import { IPAM_PLUGINS, PLUGINS } from '#cni/lint/keys/plugin-keys.ts'
import type { Keys, Shape } from '#cni/lint/keys/shape.ts'

// The keys that our plugins read are the keys that lint knows: one that is added to a plugin alone would be called a mistake.

const READ = /\.(?:text|flag|isOn|number|choice|address|cidr|texts|object|objects|objectLists|plain|has)\(\s*'([^']+)'/g

/** What a runtime puts there: not for a file. */
const BY_RUNTIMES = ['ipRanges', 'ips', 'mac', 'cni', 'hostIP', 'hostPort', 'containerPort', 'protocol', 'portMappings']

function keysRead(): readonly string[] {
  const folder = new URL('../../../../src/cni/plugins/', import.meta.url)
  const texts = globSync('**/*.ts', { cwd: folder }).map(path => readFileSync(new URL(path, folder), 'utf8'))
  return [...new Set(texts.flatMap(text => [...text.matchAll(READ)].map(([, key]) => key!)))].sort()
}

function namesIn(keys: Keys): readonly string[] {
  return Object.entries(keys).flatMap(([key, shape]) => [key, ...namesInShape(shape)])
}

function namesInShape(shape: Shape): readonly string[] {
  if (shape.is === 'object') return namesIn(shape.keys)
  return shape.is === 'list' || shape.is === 'map' ? namesInShape(shape.of) : []
}

test('every key that a plugin of ours reads is known', () => {
  const known = new Set([PLUGIN_KEYS, ...Object.values(PLUGINS), ...Object.values(IPAM_PLUGINS)].flatMap(namesIn))
  const read = keysRead()
  expect(read.length).toBeGreaterThan(40)
  expect(read.filter(key => !known.has(key) && !BY_RUNTIMES.includes(key))).toEqual([])
})

test('every plugin of ours is known', () => {
  const known = [...Object.keys(PLUGINS), ...Object.keys(IPAM_PLUGINS)]
  expect(OWN.map(({ type }) => type).filter(type => !known.includes(type))).toEqual([])
})
