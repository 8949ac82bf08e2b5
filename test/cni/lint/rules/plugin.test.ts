import { describe, expect, test } from 'vitest'
import { found, list } from '../configurations.ts'

describe('a plugin', () => {
  test.each<[object, string]>([
    [{ type: undefined }, 'error: plugins[0].type is missing; it names the plugin, such as "bridge"'],
    [{ type: null }, 'error: plugins[0].type is missing; it names the plugin, such as "bridge"'],
    [
      { type: '../bridge' },
      'error: plugins[0].type: "../bridge" is not the name of a plugin: runtimes look for it in their folders alone',
    ],
    [
      { type: 'switchyard', plugin: 'brigde' },
      'error: plugins[0].plugin: "brigde" is none of "bridge", "portmap", "loopback"; did you mean "bridge"?',
    ],
    [{ type: 'brigde' }, 'warning: plugins[0].type: "brigde" is no plugin that is known here; did you mean "bridge"?'],
    [
      { type: 'dhcp', ipam: undefined },
      'error: plugins[0].type: "dhcp" gives addresses, and makes no interface; it belongs into "ipam" of another plugin',
    ],
    [
      { isgateway: true },
      'warning: plugins[0].isgateway is taken for isGateway by some programs and passed over by others; write isGateway',
    ],
    [
      { isDefaultGateway: 'yes' },
      'error: plugins[0].isDefaultGateway: "yes" is not true or false; write true, without quotes',
    ],
    [{ mtu: '1450' }, 'error: plugins[0].mtu: "1450" is not a number; write 1450, without quotes'],
    [{ mtu: '70000' }, 'error: plugins[0].mtu: "70000" is not a whole number from 0 to 65535'],
    [{ mtu: 70_000 }, 'error: plugins[0].mtu: 70000 is not a whole number from 0 to 65535'],
    [{ mtu: 10 }, 'error: plugins[0].mtu: 10 is not a whole number from 68 to 65535'],
    [{ bridge: 5 }, 'error: plugins[0].bridge: 5 is not a text; write "5"'],
    [
      { bridge: 'a-name-that-is-too-long' },
      'error: plugins[0].bridge: "a-name-that-is-too-long" is not the name of an interface: up to 15 characters without spaces, "/" and ":"',
    ],
    [
      { ipMasqBackend: 'nftable' },
      'error: plugins[0].ipMasqBackend: "nftable" is none of "iptables", "nftables"; did you mean "nftables"?',
    ],
    [
      { hairpinMode: true, promiscMode: true },
      'error: plugins[0]: cannot set hairpin mode and promiscuous mode at the same time',
    ],
    [
      { capabilities: { portMapping: true } },
      'error: plugins[0].capabilities.portMapping is no key of capabilities; did you mean portMappings?',
    ],
    [{ subnet: '10.0.0.0/8' }, 'error: plugins[0].subnet is no key of bridge; it belongs into "ipam"'],
    [{ runtimeConfig: {} }, 'warning: plugins[0].runtimeConfig is put there by the runtime; remove it from the file'],
    [{ dns: { nameserver: [] } }, 'error: plugins[0].dns.nameserver is no key of dns; did you mean nameservers?'],
    [
      { dns: { nameservers: '10.0.0.1' } },
      'error: plugins[0].dns.nameservers: "10.0.0.1" is not a list; write it in brackets, as ["10.0.0.1"]',
    ],
    [
      { ipam: undefined },
      'error: plugins[0].ipam is missing, and isGateway does nothing without addresses; write "ipam": {"type": "host-local", "subnet": "10.22.0.0/16"}',
    ],
    [
      { ipam: 'host-local' },
      'error: plugins[0].ipam: "host-local" is not an object in braces; write {"type": "host-local", ...}',
    ],
    [
      { type: 'portmap', isGateway: undefined, ipMasq: undefined, bridge: undefined, ipam: undefined },
      'warning: plugins[0].capabilities: without {"portMappings": true} the runtime gives portmap no ports to map',
    ],
  ])('%j: %s', (plugin, sentence) => {
    expect(found(list(plugin))).toEqual([sentence])
  })

  test('without gateway, masquerade and ipam may be meant so', () => {
    const plugin = { isGateway: undefined, ipMasq: undefined, ipam: undefined }
    expect(found(list(plugin))[0]).toMatch(/^warning: plugins\[0\]\.ipam is missing: pods get an interface without/)
  })
})
