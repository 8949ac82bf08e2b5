import { expect, test } from 'vitest'
import { ADDRESSES } from '#page/pages/addresses.ts'
import type { AddressLine, AddressSource, NetworkAddresses } from '#page/views/pods.ts'
import type { PageSources } from '#page/views/sources.ts'
import { HOSTILE } from '../clusters.ts'
import { hostile, isInert, pageAsked, read, STILL, shown } from './shown.ts'

const LEASED: AddressLine = {
  ...{ ip: '10.244.1.7', status: 'ASSIGNED', isGood: true, pod: 'shop/Web', container: 'c0ffee0123456789' },
  ...{ ifname: 'eth0', since: Date.UTC(2026, 0, 2, 3, 4, 5) },
}
const COOLING: AddressLine = { ip: '10.244.1.8', status: 'COOLDOWN', isGood: true, until: Date.UTC(2026, 0, 2, 9) }
const DOUBTED: AddressLine = { ip: '10.244.1.9', status: 'CONFLICT', isGood: false, reason: 'in use by another' }
const NETWORK: NetworkAddresses = {
  ...{ network: 'pods', subnets: ['10.244.1.0/24'], rows: [LEASED, COOLING, DOUBTED] },
  counts: [
    { status: 'ASSIGNED', count: 1n },
    { status: 'FREE', count: 18_446_744_073_709_551_615n },
  ],
}

function source(...networks: readonly NetworkAddresses[]): { addresses: AddressSource } {
  return { addresses: { ...STILL, isThere: () => true, networks: () => networks } }
}

const ips = async (address: string, ...networks: readonly NetworkAddresses[]) =>
  (await shown(ADDRESSES, source(...networks), address)).match(/(?<=data-key=")[^"]+/g) ?? []

test('the page is there where a program gives addresses', () => {
  const isThere = (more: Partial<PageSources>) => ADDRESSES.isThere(more as PageSources)
  expect([isThere({}), isThere(source())]).toEqual([false, true])
  expect(isThere({ addresses: { ...source().addresses, isThere: () => false } })).toBe(false)
})

test('before the first address it says that there is none', async () => {
  expect(await read(ADDRESSES, source())).toMatch(/No network has given an address on this node yet\.$/)
  const none = { addresses: { ...source().addresses, networks: () => undefined } }
  expect(await read(ADDRESSES, none)).toMatch(/No network has given an address on this node yet\.$/)
})

test('each address has its pod, its container in short, and why it is in doubt', async () => {
  const text = await read(ADDRESSES, source(NETWORK))
  expect(text).toContain('pods 10.244.1.0/24 1 assigned, 2^64 free')
  expect(text).toContain('10.244.1.7 assigned shop/Web c0ffee0123456 eth0 03:04:05 2026-01-02')
  expect(text).toContain('10.244.1.8 cooldown until 09:00:00 2026-01-02 – – – –')
  expect(text).toContain('10.244.1.9 conflict in use by another – – –')
})

test.each([
  ['10.244.1.8', ['10.244.1.8']],
  ['  SHOP/web ', ['10.244.1.7']],
  ['cool', ['10.244.1.8']],
  ['another', ['10.244.1.9']],
  ['0123456789', ['10.244.1.7']],
  ['', ['10.244.1.7', '10.244.1.8', '10.244.1.9']],
])('a search for %j finds %j', async (q, found) => {
  expect(await ips(`?${new URLSearchParams({ q })}`, NETWORK)).toEqual(found)
})

test('a search that finds none says so, and keeps its words', async () => {
  const page = await shown(ADDRESSES, source(NETWORK), '?q=nowhere')
  expect(page).toContain('No address is like that.')
  expect(page).toContain('value="nowhere"')
})

test('each network is turned by itself, a hundred rows at a time', async () => {
  const rows = Array.from({ length: 250 }, (_, n): AddressLine => ({ ...COOLING, ip: `10.1.${n >> 8}.${n & 255}` }))
  const networks = [{ ...NETWORK, rows }, NETWORK]
  const second = await ips('?n0=3&q=10.', ...networks)
  expect([second.length, second[0], second.at(-1)]).toEqual([53, '10.1.0.200', '10.244.1.9'])
  expect(await shown(ADDRESSES, source(...networks), '?n0=2&q=10.')).toContain('href="/page/addresses?n0=3&amp;q=10."')
  expect(await ips('?n0=99', ...networks)).toHaveLength(53)
})

test('no text of an address becomes HTML, and no search does', async () => {
  const page = await shown(ADDRESSES, source(hostile(NETWORK)), `?${new URLSearchParams({ q: HOSTILE })}`)
  expect(isInert(page)).toBe(true)
  const { title } = await pageAsked(ADDRESSES, source(hostile(NETWORK)))
  expect(title).toBe('Addresses of this node')
})

test('addresses that cannot be read say why, and are no end of any page', async () => {
  const damaged = () => {
    throw new Error('the lease database <x> is damaged')
  }
  const addresses: AddressSource = { ...STILL, isThere: damaged, networks: damaged }
  expect(ADDRESSES.isThere({ addresses } as unknown as PageSources)).toBe(true)
  expect(await shown(ADDRESSES, { addresses })).toContain(
    '<p class="problem" role="alert">This cannot be read: the lease database &lt;x&gt; is damaged.</p>',
  )
})
