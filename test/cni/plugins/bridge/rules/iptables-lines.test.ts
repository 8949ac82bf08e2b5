import { describe, expect, test } from 'vitest'
import { jumpsIn, masqueradeLines, removalLines } from '#cni/plugins/bridge/rules/iptables-lines.ts'
import * as names from '#cni/plugins/bridge/rules/names.ts'
import { at, HOLDER } from './masquerades.ts'

const FOUR = at('10.1.2.3/16')

describe('rules of iptables', () => {
  const SAID = '-m comment --comment "name: \\"mynet\\" id: \\"c1\\""'
  const CHAIN = names.ownChain(HOLDER)

  test('masquerade what leaves the range, but for multicasts', () => {
    expect(masqueradeLines(HOLDER, FOUR)).toEqual([
      `:${CHAIN} - [0:0]`,
      `-A ${CHAIN} -d 10.1.0.0/16 ${SAID} -j ACCEPT`,
      `-A ${CHAIN} ! -d 224.0.0.0/4 ${SAID} -j MASQUERADE`,
      `-A POSTROUTING -s 10.1.2.3/32 ${SAID} -j ${CHAIN}`,
    ])
    expect(masqueradeLines(HOLDER, [])).toEqual([])
  })

  test('are found again in a listing, and removed with their chain', () => {
    const listing = ['-P POSTROUTING ACCEPT', '-A POSTROUTING -j KUBE-POSTROUTING', ...masqueradeLines(HOLDER, FOUR)]
    const jumps = jumpsIn(`${listing.join('\n')}\n`)
    expect(jumps.map(({ source, chain }) => [source, chain])).toEqual([['10.1.2.3', CHAIN]])
    expect(removalLines(jumps, jumps)).toEqual([
      `-D POSTROUTING -s 10.1.2.3/32 ${SAID} -j ${CHAIN}`,
      `-F ${CHAIN}`,
      `-X ${CHAIN}`,
    ])
  })

  test('a chain stays as long as another rule leads to it', () => {
    const chain = names.referenceChain(HOLDER)
    const jump = (ip: string) =>
      `-A POSTROUTING -s ${ip}/32 -m comment --comment "name: \\"mynet\\" id: \\"c1\\"" -j ${chain}`
    const [one, two] = jumpsIn([jump('10.1.2.3'), jump('10.1.2.4')].join('\n'))
    expect(removalLines([one!], [one!, two!])).toEqual([jump('10.1.2.3').replace('-A', '-D')])
  })
})
