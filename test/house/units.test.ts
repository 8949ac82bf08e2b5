import { globSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { expect, test } from 'vitest'
import { sourceOf } from './source.ts'

// A unit is no text: what it means is read where its name was made. Only these files turn one into the other.

const ROOT = join(import.meta.dirname, '..', '..')
const UNITS = 'src/proxy/modes/unit.ts'

/** Each with its reason. */
const MAY: Readonly<Record<string, string>> = {
  'src/proxy/modes/netfilter/units.ts': 'names the units of modes that speak iptables',
  'src/proxy/modes/ipvs/names.ts': 'names the units of its mode',
  'src/proxy/modes/nftables/names.ts': 'names the units of its mode',
  'src/proxy/modes/userspace/names.ts': 'names the units of its mode',
  'src/proxy/modes/ipvs/trace/servers.ts': 'shows where a packet passes',
  'src/proxy/modes/userspace/trace.ts': 'shows where a packet passes',
  'src/proxy/sync/belief/kept.ts': 'keeps beliefs in a file',
  'src/proxy/sync/belief/kept-file.ts': 'keeps beliefs in a file',
  'src/proxy/sync/belief/accepted.ts': 'reports blocked units',
  'src/proxy/sync/refusals/isolation.ts': 'reports refused units',
  'src/proxy/sync/lane.ts': 'reports drift',
  'src/proxy/agent/mode-switch.ts': 'logs blocked units',
  'src/verify/services/differences.ts': 'shows differences',
  // Where tests need one, they have it from here.
  'test/support/units.ts': 'makes units for tests',
}

function importersIn(folders: string): readonly string[] {
  const paths = globSync(`${folders}/**/*.ts`, { cwd: ROOT, exclude: name => name.endsWith('node_modules') })
  return paths.filter(path => {
    const text = readFileSync(join(ROOT, path), 'utf8')
    return text.includes('unit.ts') && sourceOf(text).imports.some(one => isCrossing(path, one))
  })
}

function isCrossing(path: string, { from, values }: { readonly from: string; readonly values: readonly string[] }) {
  const target = from.startsWith('#') ? from.replace('#', 'src/') : posix.join(posix.dirname(path), from)
  return target === UNITS && values.length > 0
}

test('units become text, and text units, in these files alone, and each of them needs it', () => {
  expect(importersIn('{src,lab,bench,test,packages}').toSorted()).toEqual(Object.keys(MAY).toSorted())
})

test.each([
  ["import { textOf } from '#proxy/modes/unit.ts'", 'src/page/page.ts', true],
  ["import { asUnit, type Unit } from './unit.ts'", 'src/proxy/modes/portions.ts', true],
  ["import * as units from '../unit.ts'", 'src/proxy/modes/ipvs/ours.ts', true],
  ["export { textOf } from './unit.ts'", 'src/proxy/modes/mode.ts', true],
  ["import type { Unit } from './unit.ts'", 'src/proxy/modes/mode.ts', false],
  ["import { page } from '#page/unit.ts'", 'src/page/page.ts', false],
])('%s in %s crosses: %s', (text, path, crosses) => {
  expect(sourceOf(text).imports.some(one => isCrossing(path, one))).toBe(crosses)
})
