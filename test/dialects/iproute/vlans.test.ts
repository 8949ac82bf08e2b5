import { expect, test } from 'vitest'
import { changeVlans, vlansOf } from '#dialects/iproute/vlans.ts'

const PRINTED = `[{"ifname":"cni0","vlans":[{"vlan":1,"flags":["PVID","Egress Untagged"]}]},
{"ifname":"veth1","vlans":[{"vlan":1,"flags":["PVID","Egress Untagged"]},{"vlan":5,"vlanEnd":7},{"vlan":9,"flags":["Egress Untagged"]}]}]`
const vlan = (id: number, isUntagged = false, isPvid = false) => ({ id, isUntagged, isPvid })

test('the VLANs of a port are printed in runs, and read one by one', () => {
  expect(vlansOf(PRINTED, 'veth1')).toEqual([vlan(1, true, true), vlan(5), vlan(6), vlan(7), vlan(9, true)])
  expect(vlansOf(PRINTED, 'veth')).toEqual([])
  expect(vlansOf('', 'veth1')).toEqual([])
})

test('a run is changed by one command; the VLANs of a bridge are its own', () => {
  const port = { name: 'veth1', kind: 'veth' }
  const run = { first: 5, last: 7, isPvid: false, isUntagged: true }
  expect(changeVlans('add', port, run).argv.join(' ')).toBe('bridge vlan add dev veth1 vid 5-7 untagged')
  expect(
    changeVlans('delete', { name: 'cni0', kind: 'bridge' }, { ...run, last: 5, isPvid: true }).argv.join(' '),
  ).toBe('bridge vlan delete dev cni0 vid 5 pvid untagged self')
})
