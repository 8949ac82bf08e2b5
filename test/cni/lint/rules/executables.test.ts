import { expect, test } from 'vitest'
import { Findings } from '#cni/lint/finding.ts'
import { readTolerantly } from '#cni/lint/json/reader.ts'
import { checkExecutables, type InstalledPlugins, pluginNames } from '#cni/lint/rules/executables.ts'

const OWN = new Set(['switchyard', 'bridge', 'host-local'])

function found(config: object, names: readonly string[], more: Partial<InstalledPlugins> = {}): readonly string[] {
  const findings = new Findings()
  const installed = { folders: ['/a', '/b'], names: new Set(names), own: OWN, refusing: new Map(), ...more }
  checkExecutables(readTolerantly(JSON.stringify(config)).root!, installed, { findings, path: '' })
  return findings.all.map(({ severity, path, message }) => {
    expect([severity, message.startsWith(`${path}: `)]).toEqual(['error', true])
    return message
  })
}

const missing = (path: string, name: string) =>
  `${path}: there is no executable "${name}" in /a or /b, so no pod can be attached`

test('each plugin, and each below one, needs its executable', () => {
  const plugins = [{ type: 'ptp', ipam: { type: 'dhcp' } }, { type: 'tuning' }]
  expect(found({ plugins }, ['tuning'])).toEqual([
    missing('plugins[0].type', 'ptp'),
    missing('plugins[0].ipam.type', 'dhcp'),
  ])
  expect(found({ plugins }, ['ptp', 'dhcp', 'tuning'])).toEqual([])
  expect(found({ type: 'ptp', ipam: { type: 'dhcp' } }, [])).toEqual([
    missing('type', 'ptp'),
    missing('ipam.type', 'dhcp'),
  ])
})

test('addresses of ours need no executable below a plugin of ours, and need one below another', () => {
  const plugin = (type: string, ipam: string) => ({ plugins: [{ type, ipam: { type: ipam } }] })
  expect(found(plugin('bridge', 'host-local'), ['bridge'])).toEqual([])
  expect(found(plugin('switchyard', 'switchyard'), ['switchyard'])).toEqual([])
  expect(found(plugin('ptp', 'host-local'), ['ptp'])).toEqual([missing('plugins[0].ipam.type', 'host-local')])
  expect(found(plugin('bridge', 'host-local'), [])).toEqual([missing('plugins[0].type', 'bridge')])
})

test('one that refuses the version is named with its sentence, wherever it stands', () => {
  const refusing = new Map([['ptp', '/a/ptp has 0.4.0']])
  const plugins = [{ type: 'ptp' }, { type: 'bridge', ipam: { type: 'ptp' } }]
  expect(found({ plugins }, ['ptp', 'bridge'], { refusing })).toEqual([
    'plugins[0].type: /a/ptp has 0.4.0',
    'plugins[1].ipam.type: /a/ptp has 0.4.0',
  ])
})

test('what names no plugin is for other rules', () => {
  const plugins = [{}, { type: '' }, { type: 5, ipam: { type: null } }, { ipam: 'dhcp' }, 'x']
  expect(found({ plugins }, [])).toEqual([])
  expect(
    pluginNames(readTolerantly(JSON.stringify({ plugins: [...plugins, { type: 'a', ipam: { type: 'b' } }] })).root!),
  ).toEqual(['', 'a', 'b'])
})
