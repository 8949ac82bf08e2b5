import { expect, test } from 'vitest'
import { overlayMtu, vtepMac } from '#routes/plan/vtep.ts'
import { address } from '../stage.ts'

test('the hardware address of a node is what all nodes make of its name, also those of another version', () => {
  expect(['node-1', 'node-2'].map(vtepMac)).toEqual(['6e:46:7e:52:b1:54', '0e:f1:a8:d9:c6:b4'])
})

test('it is of one host and of no manufacturer, and no two of 5,000 nodes have the same', () => {
  const all = Array.from({ length: 5000 }, (_, i) => vtepMac(`ip-10-0-${i >> 8}-${i & 255}.eu-west-1.compute.internal`))
  expect(all.filter(mac => !/^[0-9a-f][26ae](?::[0-9a-f]{2}){5}$/.test(mac))).toEqual([])
  expect(new Set(all).size).toBe(5000)
})

test('it carries what is left after the headers around it', () => {
  expect([overlayMtu(1500, address('192.0.2.1')), overlayMtu(9000, address('2001:db8::1'))]).toEqual([1450, 8930])
})
