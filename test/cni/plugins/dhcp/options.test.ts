import { describe, expect, test } from 'vitest'
import { dhcpConfig } from '#cni/plugins/dhcp/options.ts'
import { requestOf } from '../../requests.ts'

const decoded = (ipam: object = {}, args = '') =>
  dhcpConfig(requestOf({ plugin: 'dhcp', env: { CNI_ARGS: args }, config: { ipam: { type: 'dhcp', ...ipam } } }))

describe('the ipam section of dhcp', () => {
  test('asks for router, mask and routes, and names the attachment', () => {
    const { wanted, provided } = decoded()
    expect(wanted).toEqual([3, 1, 121, 33])
    expect(provided).toEqual(new Map([[61, Buffer.from('\0c1/net1/eth0')]]))
  })

  test('options by name or number, values from CNI_ARGS, the defaults left out', () => {
    const { wanted, provided } = decoded(
      {
        request: [{ option: 'host-name', skipDefault: true }, { option: '42' }],
        provide: [
          { option: 'host-name', fromArg: 'K8S_POD_NAME' },
          { option: 60, value: 'x' },
        ],
      },
      'IgnoreUnknown=1;K8S_POD_NAME=web-1',
    )
    expect(wanted).toEqual([12, 42])
    expect(provided.get(12)?.toString()).toBe('web-1')
    expect(provided.get(60)?.toString()).toBe('x')
  })

  test('two interfaces of a container have two names, however long that of the network is', () => {
    const named = (ifname: string, length: number) => {
      const config = { name: 'n'.repeat(length), ipam: { type: 'dhcp' } }
      const { provided } = dhcpConfig(requestOf({ plugin: 'dhcp', env: { CNI_IFNAME: ifname }, config }))
      return provided.get(61)!
    }
    for (const length of [240, 247, 248, 1000]) {
      expect(named('eth0', length)).not.toEqual(named('net1', length))
      expect(named('eth0', length).length).toBeLessThanOrEqual(255)
    }
  })

  test('a client identifier of the configuration stands in place of ours', () => {
    const { provided } = decoded({ provide: [{ option: 'dhcp-client-identifier', value: 'me' }] })
    expect(provided.get(61)).toEqual(Buffer.from('\0me'))
  })

  test('servers are asked for a minute, or as long as it says', () => {
    expect([decoded().timeoutMs, decoded({ timeout: '90s' }).timeoutMs]).toEqual([60_000, 90_000])
  })

  test.each([
    [{ timeout: '0s' }, 'ipam.timeout: "0s" is not a duration from 1s to 10m'],
    [{ timeout: '11m' }, 'ipam.timeout: "11m" is not a duration'],
    [{ timeout: 'soon' }, 'ipam.timeout: "soon" is not a duration'],
    [{ timeout: 5 }, 'ipam.timeout: 5 is not a text'],
    [{ request: [{ option: 'routerz' }] }, 'ipam.request[0].option: "routerz" is not a number from 0 to 255'],
    [{ request: [{ option: 256 }] }, 'ipam.request[0].option: 256'],
    [{ provide: [{ option: 12 }] }, 'ipam.provide[0].value is missing, and so is fromArg'],
    [{ provide: [{ option: 12, value: 'x'.repeat(256) }] }, 'is longer than the 255 bytes'],
    [{ priority: -1 }, 'ipam.priority: -1'],
  ])('%j is refused', (ipam, text) => {
    expect(() => decoded(ipam)).toThrow(text)
  })
})
