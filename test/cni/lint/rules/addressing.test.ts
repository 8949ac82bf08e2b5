import { expect, test } from 'vitest'
import { readTolerantly } from '#cni/lint/json/reader.ts'
import { addressingPlugins, pluginsIn, rangesOf } from '#cni/lint/rules/addressing.ts'

const read = (json: object) => readTolerantly(JSON.stringify(json)).root!
const local = (more: object = {}) => ({ type: 'host-local', subnet: '10.1.0.0/16', ...more })

test('plugins stand in a list, or the configuration is one; what is no object is none', () => {
  const paths = (json: object) => pluginsIn(read(json)).map(({ path }) => path)
  expect(paths({ plugins: [{}, 'x', null, {}] })).toEqual(['plugins[0]', 'plugins[3]'])
  expect(paths({ type: 'bridge' })).toEqual([''])
  expect(paths([])).toEqual([])
})

test('those count that give addresses by the rules of host-local, under either name', () => {
  const plugins = [
    { type: 'bridge', bridge: 'br0', isGateway: true, ipam: local() },
    { type: 'bridge', isDefaultGateway: true, ipam: { ...local(), type: 'switchyard', overlap: 'allow' } },
    { type: 'ptp', isGateway: 'yes', ipam: local({ overlap: 'refuse' }) },
    { type: 'bridge', ipam: { ...local(), type: 'static' } },
    { type: 'bridge', ipam: 'host-local' },
    { type: 'portmap' },
  ]
  const found = addressingPlugins(read({ plugins }))
  expect(found.map(({ path, link, hasGateway, mayOverlap }) => [path, link, hasGateway, mayOverlap])).toEqual([
    ['plugins[0]', 'br0', true, false],
    ['plugins[1]', 'cni0', true, true],
    ['plugins[2]', 'cni0', false, false],
  ])
})

test('ranges are those beside ipam and those of its sets, each with the place of its subnet; what is wrong is left out', () => {
  const ranges = [
    [{ subnet: '10.2.0.0/16' }, { subnet: '10.3.0.1/16' }, { subnet: 'fd00::/64', gateway: '10.0.0.1' }],
    { subnet: '10.4.0.0/16' },
    ['10.5.0.0/16', null, {}],
    [],
    [{ subnet: 'fd01::/64' }],
  ]
  const text = JSON.stringify({ plugins: [{ ipam: local({ ranges }) }] })
  const [plugin] = addressingPlugins(readTolerantly(text).root!)
  expect(rangesOf(plugin!)).toEqual(
    [
      ['10.1.0.0/16', 'subnet'],
      ['10.2.0.0/16', 'ranges[0][0].subnet'],
      ['fd01::/64', 'ranges[4][0].subnet'],
    ].map(([subnet, path]) => ({ subnet, at: text.indexOf(`"${subnet}"`), path: `plugins[0].ipam.${path}` })),
  )
})

test('a single configuration has its ranges without a plugin in their paths', () => {
  const [plugin] = addressingPlugins(read({ type: 'bridge', ipam: local() }))
  expect(rangesOf(plugin!).map(({ path }) => path)).toEqual(['ipam.subnet'])
})
