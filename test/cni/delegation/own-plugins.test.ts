import { expect, test } from 'vitest'
import { OwnPlugins } from '#cni/delegation/own-plugins.ts'
import { FakePlugin } from '../parts.ts'

const TYPES = ['bridge', 'host-local', 'portmap', 'dhcp']
const own = new OwnPlugins(TYPES.map(type => new FakePlugin(type)))

/** The type it means, or why it means none. */
function meant(choose: () => { readonly type: string } | undefined): string | undefined {
  try {
    return choose()?.type
  } catch (error) {
    return (error as Error).message
  }
}

test.each([
  ['host-local', 'host-local'],
  ['dhcp', 'dhcp'],
  ['switchyard', 'host-local'],
  ['bridge', 'ipam.type: "bridge" gives no addresses'],
  ['portmap', 'ipam.type: "portmap" gives no addresses'],
  ['static', undefined],
  ['constructor', undefined],
])('below ipam, %s means %s', (type, plugin) => {
  expect(meant(() => own.ipam(type))).toBe(plugin)
})

test.each<[object, string]>([
  [{}, 'bridge'],
  [{ plugin: null }, 'bridge'],
  [{ plugin: '' }, 'bridge'],
  [{ plugin: 'portmap' }, 'portmap'],
  [{ plugin: 'brigde' }, 'plugin: "brigde" is none of bridge, host-local, portmap, dhcp'],
  [{ plugin: 'switchyard' }, 'plugin: "switchyard" is none of bridge, host-local, portmap, dhcp'],
  [{ plugin: ['portmap'] }, 'plugin: ["portmap"] is none of bridge, host-local, portmap, dhcp'],
  [{ plugin: 0 }, 'plugin: 0 is none of bridge, host-local, portmap, dhcp'],
])('of an interface, switchyard with %j means %s', (raw, plugin) => {
  expect(meant(() => own.attaching('switchyard', { raw: raw as Record<string, unknown> }))).toBe(plugin)
  expect(meant(() => own.attaching('dhcp', { raw: raw as Record<string, unknown> }))).toBe('dhcp')
})

test.each<[string, string, string | undefined, string]>([
  // A foreign plugin asks us for addresses by the name of its `ipam.type`.
  ['switchyard', 'ptp', 'switchyard', 'host-local'],
  ['switchyard', 'switchyard', 'switchyard', 'bridge'],
  ['switchyard', 'switchyard', 'dhcp', 'bridge'],
  ['switchyard', 'ptp', 'host-local', 'bridge'],
  ['switchyard', 'bridge', undefined, 'bridge'],
  ['host-local', 'ptp', 'host-local', 'host-local'],
  ['bridge', 'switchyard', 'switchyard', 'bridge'],
  ['tuning', 'tuning', undefined, '"tuning" is no plugin of Switchyard, which has bridge, host-local, portmap, dhcp'],
])('the executable %s with the type %s and addresses of %s is %s', (name, type, ipam, plugin) => {
  const config = { raw: {}, type, ipam: ipam === undefined ? undefined : { type: ipam } }
  expect(meant(() => own.started(name, config))).toBe(plugin)
})
