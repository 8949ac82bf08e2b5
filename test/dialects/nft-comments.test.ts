import { expect, test } from 'vitest'
import { commentedIn } from '#dialects/nft-comments.ts'

const LISTING = {
  nftables: [
    { metainfo: { version: '1.0.6' } },
    { chain: { family: 'ip', table: 't', name: 'postrouting', handle: 3 } },
    { rule: { family: 'ip', table: 't', chain: 'postrouting', handle: 4, expr: [], comment: 'of a pod' } },
    { rule: { family: 'ip', table: 't', chain: 'postrouting', handle: 5, expr: [] } },
    {
      map: {
        ...{ family: 'ip', name: 'pods', table: 't', type: 'ipv4_addr', handle: 1, map: 'verdict' },
        elem: [
          [{ elem: { val: '10.0.0.5', comment: 'one' } }, { goto: { target: 'from-10.0.0.0/24' } }],
          ['10.0.0.6', { goto: { target: 'from-10.0.0.0/24' } }],
        ],
      },
    },
    {
      set: {
        ...{ family: 'bridge', name: 'senders', table: 'b', type: ['ifname', 'ether_addr'] },
        elem: [{ elem: { val: { concat: ['veth1', '02:03:04:05:06:07'] }, comment: 'two' } }, 'veth9'],
      },
    },
    { set: { family: 'bridge', name: 'empty', table: 'b', type: 'ifname' } },
  ],
}

test('elements and rules with a comment are found in what nft lists, with all that deletes them', () => {
  expect(commentedIn(JSON.stringify(LISTING))).toEqual({
    elements: [
      { table: 't', set: 'pods', key: '10.0.0.5', target: 'from-10.0.0.0/24', comment: 'one' },
      { table: 'b', set: 'senders', key: 'veth1 . 02:03:04:05:06:07', comment: 'two' },
    ],
    rules: [expect.objectContaining({ table: 't', chain: 'postrouting', handle: 4, comment: 'of a pod' })],
    chains: new Set(['t postrouting']),
  })
})

test('nothing is found in nothing', () => {
  expect(commentedIn('')).toEqual({ elements: [], rules: [], chains: new Set() })
})
