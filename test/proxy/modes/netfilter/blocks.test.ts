import { expect, test } from 'vitest'
import { blocks, type Piece } from '#proxy/modes/netfilter/blocks.ts'

const pieces = (n: number): readonly Piece[] =>
  Array.from({ length: n }, (_, i) => ({ chain: `KUBE-${i}`, text: `-A KUBE-${i} -j RETURN` }))

test('nothing is no block', () => expect(blocks('nat', [], { variant: 'nft' })).toEqual([]))

test('iptables-nft gets blocks of 250 pieces, legacy a single one', () => {
  const sizes = (variant: 'nft' | 'legacy') =>
    blocks('nat', pieces(600), { variant }).map(text => text.match(/^-A /gm)?.length)
  expect(sizes('nft')).toEqual([250, 250, 100])
  expect(sizes('legacy')).toEqual([600])
})

test('a block makes its chains before its rules, or each before its own', () => {
  const two = [...pieces(2), { text: '' }, { text: '-I OUTPUT -j KUBE-0' }]
  expect(blocks('nat', two, { variant: 'nft' })).toEqual([
    '*nat\n:KUBE-0 - [0:0]\n:KUBE-1 - [0:0]\n-A KUBE-0 -j RETURN\n-A KUBE-1 -j RETURN\n-I OUTPUT -j KUBE-0\nCOMMIT\n',
  ])
  expect(blocks('nat', two, { variant: 'nft', heads: 'alternating' })).toEqual([
    '*nat\n:KUBE-0 - [0:0]\n-A KUBE-0 -j RETURN\n:KUBE-1 - [0:0]\n-A KUBE-1 -j RETURN\n-I OUTPUT -j KUBE-0\nCOMMIT\n',
  ])
})
