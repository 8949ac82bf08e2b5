import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { newAuthority } from '#lab/api-server/tls/authority.ts'

const NOW = Date.parse('2026-11-20T10:00:00Z')
const authority = newAuthority(NOW, 10)
const root = new X509Certificate(authority.cert)
const hosts = ['kubernetes.default', '127.0.0.1', 'fd00:99::1', '::1']
const issued = authority.issue({ commonName: 'apiserver', organizations: ['a', 'system:masters'], hosts })
const certificate = new X509Certificate(issued.cert)

describe('an authority', () => {
  test('signs itself and what it issues, and calls only itself an authority', () => {
    expect(root.verify(root.publicKey)).toBe(true)
    expect(certificate.verify(root.publicKey)).toBe(true)
    expect(certificate.checkIssued(root)).toBe(true)
    expect([root.ca, certificate.ca]).toEqual([true, false])
  })

  test('writes who is certified, in which groups, and for which hosts', () => {
    expect(certificate.subject).toBe('O=a\nO=system:masters\nCN=apiserver')
    expect(hosts.map(host => certificate.checkHost(host) ?? certificate.checkIP(host))).toEqual(hosts)
    expect(certificate.checkIP('127.0.0.2')).toBeUndefined()
    expect(certificate.checkHost('kubernetes')).toBeUndefined()
  })

  test('lets certificates begin an hour before they are made and end after so many days', () => {
    expect(certificate.validFromDate.toISOString()).toBe('2026-11-20T09:00:00.000Z')
    expect(certificate.validToDate.toISOString()).toBe('2026-11-30T10:00:00.000Z')
    const late = new X509Certificate(newAuthority(Date.parse('2049-06-01T00:00:00Z'), 365).cert)
    expect(late.validToDate.toISOString()).toBe('2050-06-01T00:00:00.000Z')
  })

  test('gives the key that belongs to the certificate', () => {
    expect(issued.key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
    expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
  })
})
