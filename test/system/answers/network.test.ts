import { networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import { addressesOf, routesOf } from '#dialects/ip.ts'
import { addressesAsJson, routesAsJson } from '#system/answers/network.ts'
import { FAMILIES, familyOf } from '#values/address.ts'
import { ip } from '../../support/objects.ts'

// Addresses and routes of this process's own namespace, for which it needs no right: beside what Node says of them.

test('the addresses are those that Node lists, in the words of `ip`', () => {
  const json = addressesAsJson()!
  const listed = Object.values(networkInterfaces())
    .flatMap(addresses => addresses ?? [])
    .filter(({ address }) => !address.startsWith('fe80:'))
    .map(({ address }) => ip(address))
  for (const family of FAMILIES) {
    // Node leaves out those of interfaces that are down.
    expect(addressesOf(json, family)).toEqual(
      expect.arrayContaining(listed.filter(address => familyOf(address) === family)),
    )
  }
  expect(JSON.parse(json)).toContainEqual(expect.objectContaining({ ifname: 'lo' }))
})

test('routes are those of one family, each to a range', () => {
  for (const family of FAMILIES) {
    const json = routesAsJson(family)!
    for (const { dst } of JSON.parse(json)) expect(dst).toMatch(/^(?:default|[0-9a-f.:]+(?:\/\d+)?)$/)
    const colons = routesOf(json).map(range => range.includes(':'))
    expect(new Set(colons)).toEqual(new Set(colons.length === 0 ? [] : [family === 'ipv6']))
  }
})

test('a namespace that is not there has no answer: then `ip` is asked', () => {
  expect(addressesAsJson('/run/netns/never-was')).toBeUndefined()
  expect(routesAsJson('ipv4', '/run/netns/never-was')).toBeUndefined()
})
