import { describe, expect, test } from 'vitest'
import { PLUGINS } from '#cni/daemon/machine.ts'
import type { CniPlugin, PluginParts } from '#cni/plugins/plugin.ts'
import { paperMachine } from '../parts.ts'
import { requestOf } from '../requests.ts'

// GC of every plugin: a list that is missing says nothing of any attachment, an empty one that none is valid.

/** What a plugin asks of the machine under it. */
async function touched(plugin: CniPlugin, valid: object): Promise<readonly string[]> {
  const asked: string[] = []
  const ask = (what: string) => {
    asked.push(what)
    return Promise.reject(new Error(`${what}: this machine is on paper`))
  }
  const parts: PluginParts = {
    ...paperMachine(),
    networks: { open: () => ask('networks') },
    kernel: { run: ({ argv }) => ask(argv[0]) },
    leases: () => ask('leases'),
    packets: { open: () => ask('packets') },
    dhcpLeases: () => ask('dhcp leases'),
    delegates: { ...refusing(ask), gc: async type => void asked.push(`GC of ${type}`) },
  }
  const config = { cniVersion: '1.1.0', name: 'mynet', type: plugin.type, ipam: { type: 'host-local' }, ...valid }
  await plugin.gc(requestOf({ command: 'GC', env: {}, config }), parts).catch(() => {})
  return asked.filter(what => what !== 'GC of host-local')
}

function refusing(ask: (what: string) => Promise<never>) {
  const add = () => ask('a delegate')
  return { add, del: add, check: add, status: add }
}

describe.each(PLUGINS.map(plugin => [plugin.type, plugin] as const))('GC of %s', (type, plugin) => {
  test('does nothing without a list', async () => {
    expect(await touched(plugin, {})).toEqual([])
  })

  test('looks for what is left where the list is empty', async () => {
    const asked = await touched(plugin, { 'cni.dev/valid-attachments': [] })
    if (type === 'loopback') expect(asked).toEqual([])
    else expect(asked).not.toEqual([])
  })
})
