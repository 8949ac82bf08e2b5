import { describe, expect, test } from 'vitest'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { runtimeWitness } from '#ipam/witnesses/runtime-witness.ts'
import { lease } from './lease.ts'

describe("the runtime's results", () => {
  const said = async (list: (folder: string) => Promise<readonly string[] | undefined>, of: Lease = lease()) =>
    (await runtimeWitness({ list }).testify([of]))[0]

  test('name an attachment that has a file', async () => {
    expect(await said(async () => ['net1-c1-eth0'])).toBe('names')
    expect(await said(async () => ['net1-c1-eth1'])).toBe('not')
    expect(await said(async folder => (folder.includes('cache') ? ['net1-c1-eth0'] : []))).toBe('names')
  })

  test('are mute where there are none on this node, and of a lease without interface', async () => {
    expect(await said(async () => undefined)).toBe('mute')
    expect(await said(async () => [], lease({ ifname: '' }))).toBe('mute')
  })

  test('were not seen where they cannot be listed', async () => {
    expect(await said(() => Promise.reject(new Error('EACCES')))).toBe('failed')
  })
})
