import {
  ADD_IPVS_DEVICE,
  addressesOf,
  DELETE_IPVS_DEVICE,
  FIND_IPVS_DEVICE,
  ipBatch,
  LIST_ADDRESSES,
  serviceAddressesOf,
  serviceAddressLine,
} from '#dialects/ip.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import { FAMILIES } from '#values/address.ts'
import { ip as address } from '../../support/objects.ts'
import type { ToolCase, ToolUnderContract } from './case.ts'

// `ip`: the device that holds the addresses of Services. The node's own addresses stay as they are.

const [ONE, TWO, SIX] = ['10.96.0.10', '10.96.0.9', 'fd10:96::10'].map(address) as [never, never, never]
const ADD = serviceAddressLine('add', ONE)
const ADD6 = serviceAddressLine('add', SIX)
const STANDS = [ADD_IPVS_DEVICE, ADD]

const CASES: readonly ToolCase[] = [
  { title: 'a device is made once', run: [ADD_IPVS_DEVICE], verdict: 'done', leaves: ['device'] },
  {
    title: 'a device that is there is not made again, and stops the lines behind it',
    given: [ADD_IPVS_DEVICE],
    run: [ADD_IPVS_DEVICE, ADD],
    verdict: 'refused',
    says: /File exists\nCommand failed -:1\n$/,
  },
  {
    title: 'addresses of both families are added to it, while it is down',
    run: [...STANDS, serviceAddressLine('add', TWO), ADD6],
    verdict: 'done',
    leaves: ['address 10.96.0.10', 'address 10.96.0.9', 'address fd10:96::10', 'device'],
  },
  {
    title: 'an address needs its device',
    run: [ADD],
    verdict: 'refused',
    says: /^Cannot find device "kube-ipvs0"\nCommand failed -:1\n$/,
  },
  {
    title: 'an address is not added again: those before it stay, those behind it do not come',
    given: STANDS,
    run: [serviceAddressLine('add', TWO), ADD, ADD6],
    verdict: 'refused',
    says: /File exists\nCommand failed -:2\n$/,
    leaves: ['address 10.96.0.10', 'address 10.96.0.9', 'device'],
  },
  { title: 'nor is one of IPv6', given: [ADD_IPVS_DEVICE, ADD6], run: [ADD6], verdict: 'refused', says: /File exists/ },
  {
    title: 'an address is deleted',
    given: [...STANDS, ADD6],
    run: [serviceAddressLine('delete', ONE)],
    verdict: 'done',
    leaves: ['address fd10:96::10', 'device'],
  },
  {
    title: 'an address that is not there is not deleted, and stops the lines behind it',
    given: [ADD_IPVS_DEVICE],
    run: [serviceAddressLine('delete', ONE), ADD6],
    verdict: 'refused',
    says: /Cannot assign requested address\nCommand failed -:1\n$/,
  },
  {
    title: 'nor is one of IPv6 deleted',
    given: STANDS,
    run: [serviceAddressLine('delete', SIX)],
    verdict: 'refused',
    says: /Cannot assign requested address/,
  },
  {
    title: 'a device goes with its addresses',
    given: [...STANDS, ADD6],
    run: [DELETE_IPVS_DEVICE],
    verdict: 'done',
    leaves: [],
  },
  {
    title: 'a device that is not there is not deleted',
    run: [DELETE_IPVS_DEVICE],
    verdict: 'refused',
    says: /^Cannot find device "kube-ipvs0"/,
  },
  { title: 'a device that is there is found', given: STANDS, run: FIND_IPVS_DEVICE, verdict: 'done' },
  {
    title: 'a device that is not there is not found',
    run: FIND_IPVS_DEVICE,
    verdict: 'refused',
    says: /does not exist/,
  },
  {
    title: 'what is no word of ip is refused',
    given: STANDS,
    run: ['word'],
    verdict: 'refused',
    says: /"word" is unknown/,
  },
  {
    title: 'what is no address is refused',
    given: STANDS,
    run: ['address add 10.96.0.300/32 dev kube-ipvs0'],
    verdict: 'refused',
    says: /any valid prefix is expected rather than "10.96.0.300\/32"/,
  },
]

export const IP: ToolUnderContract = { name: 'ip', restore: ipBatch, contents: bound, cases: CASES }

/** What is on the device, and that no address there counts as the node's own. */
async function bound(kernel: Kernel): Promise<readonly string[]> {
  const { stdout } = await must(kernel, LIST_ADDRESSES)
  const lines = FAMILIES.flatMap(family => {
    const own = addressesOf(stdout, family)
    const found = serviceAddressesOf(stdout, family)
    const shared = (found ?? []).filter(one => own.includes(one)).map(one => `${one} is the node's own, too`)
    return found === undefined ? [] : ['device', ...found.map(one => `address ${one}`), ...shared]
  })
  return [...new Set(lines)].sort()
}
