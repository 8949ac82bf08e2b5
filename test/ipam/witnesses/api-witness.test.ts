import { describe, expect, test } from 'vitest'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { apiWitness } from '#ipam/witnesses/api-witness.ts'
import { address } from '../../support/leases.ts'
import { lease } from './lease.ts'

describe('the API server', () => {
  const pod = { uid: 'u1', pod: 'default/web-1', addresses: [address('10.9.0.2')], isFinished: false }
  const said = async (pods: () => Promise<readonly (typeof pod)[]>, of: Lease = lease()) =>
    (await apiWitness(pods).testify([of]))[0]

  test('names a pod by its uid, or by its name and address', async () => {
    expect(await said(async () => [{ ...pod, pod: 'x/y' }])).toBe('names')
    expect(await said(async () => [{ ...pod, uid: 'mirror' }])).toBe('names')
    expect(await said(async () => [{ ...pod, uid: 'new', addresses: [] }])).toBe('names')
    expect(await said(async () => [{ ...pod, uid: 'new', addresses: [address('10.9.0.7')] }])).toBe('not')
    expect(await said(async () => [])).toBe('not')
  })

  test('does not count a pod that has finished', async () => {
    expect(await said(async () => [{ ...pod, isFinished: true }])).toBe('not')
  })

  test('that cannot be asked has not said that there are no pods', async () => {
    expect(await said(() => Promise.reject(new Error('timeout')))).toBe('failed')
  })

  test('knows nothing of a container that is no pod', async () => {
    const { pod: _, uid: __, ...plain } = lease()
    expect(await said(async () => [], plain)).toBe('mute')
  })

  test('names a pod that has a name alone, and no other that has the name by now', async () => {
    const { uid: _, ...named } = lease()
    expect(await said(async () => [{ ...pod, uid: 'any' }], named)).toBe('names')
    expect(await said(async () => [{ ...pod, uid: 'any', pod: 'default/web-2' }], named)).toBe('not')
    // Without a name, the uid alone counts: the address may be that of another pod by now.
    const { pod: __, ...nameless } = lease({ uid: 'gone' })
    expect(await said(async () => [pod], nameless)).toBe('not')
  })

  test('names a pod by each of its addresses', async () => {
    const both = { ...pod, uid: 'mirror', addresses: [address('10.9.0.2'), address('fd09::2')] }
    expect(await said(async () => [both], lease({ address: address('fd09::2') }))).toBe('names')
  })

  test('is asked once for all pages of a round, be it in vain', async () => {
    let asked = 0
    const witness = apiWitness(() => {
      asked++
      throw new Error('no configuration')
    })
    const listing = apiWitness(async () => {
      asked++
      return [pod]
    })
    for (let page = 0; page < 2; page++) {
      expect(await listing.testify([lease(), lease({ uid: 'x', pod: 'x/y' })])).toEqual(['names', 'not'])
      expect(await listing.testify([])).toEqual([])
    }
    expect(asked).toBe(1)
    expect(await witness.testify([lease(), lease()])).toEqual(['failed', 'failed'])
  })
})
