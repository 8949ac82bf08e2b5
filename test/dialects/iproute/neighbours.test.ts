import { expect, test } from 'vitest'
import {
  deleteNeighbour,
  deleteTunnel,
  listNeighbours,
  listTunnels,
  neighboursOf,
  setNeighbour,
  setTunnel,
  tunnelsOf,
} from '#dialects/iproute/neighbours.ts'
import { ip } from '../../support/objects.ts'

const MAC = '02:00:00:00:00:09'
const said = ({ argv }: { readonly argv: readonly string[] }) => argv.join(' ')

test('neighbours that are printed have an address and a hardware address', () => {
  const printed = `[{"dst":"10.1.0.9","lladdr":"${MAC}","state":["PERMANENT"]},
    {"dst":"fd00::9","lladdr":"${MAC}","state":["PERMANENT"]},{"dst":"10.1.0.8","state":["PERMANENT"]},{}]`
  expect(neighboursOf(printed)).toEqual([
    { address: '10.1.0.9', mac: MAC },
    { address: 'fd00::9', mac: MAC },
  ])
  expect(neighboursOf('')).toEqual([])
})

test('tunnels that are printed lead to a host, are of the link itself, and were set', () => {
  const entry = { mac: MAC, ifname: 'vx', dst: '192.0.2.9', flags: ['self'], state: 'permanent' }
  const others = [
    { ...entry, mac: '00:00:00:00:00:00' },
    { ...entry, dst: undefined },
    { ...entry, flags: [] },
    { ...entry, flags: undefined },
    { ...entry, state: '' },
    { ...entry, mac: '33:33:00:00:00:01', dst: undefined },
  ]
  expect(tunnelsOf(JSON.stringify([entry, ...others]))).toEqual([{ mac: MAC, host: '192.0.2.9' }])
})

test('each is set over what was there, and deleted by what it is', () => {
  expect(said(listNeighbours('vx', 'ipv6'))).toBe('ip -json -6 neighbour show dev vx nud permanent')
  expect(said(setNeighbour('vx', { address: ip('fd00::9'), mac: MAC }))).toBe(
    `ip neighbour replace fd00::9 lladdr ${MAC} nud permanent dev vx`,
  )
  expect(said(deleteNeighbour('vx', { address: ip('fd00::9'), mac: MAC }))).toBe('ip neighbour delete fd00::9 dev vx')
  const tunnel = { mac: MAC, host: ip('192.0.2.9') }
  expect(said(listTunnels('vx'))).toBe('bridge -json fdb show dev vx')
  expect(said(setTunnel('vx', tunnel))).toBe(`bridge fdb replace ${MAC} dev vx dst 192.0.2.9 self permanent`)
  expect(said(deleteTunnel('vx', tunnel))).toBe(`bridge fdb delete ${MAC} dev vx dst 192.0.2.9 self`)
})
