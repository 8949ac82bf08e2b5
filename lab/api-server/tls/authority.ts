import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP, isIPv4 } from 'node:net'
import * as der from './der.ts'

// A certificate authority of one cluster: who is certified, and for which addresses → keys and certificates (X.509) as PEM.

export interface Certificate {
  readonly key: string
  readonly cert: string
}

export interface Subject {
  readonly commonName: string
  /** Groups of a user, as Kubernetes reads them: `system:masters`. */
  readonly organizations?: readonly string[]
  /** Names and addresses under which a server is reached. */
  readonly hosts?: readonly string[]
}

export interface Authority {
  /** The certificate that clients and servers trust. */
  readonly cert: string
  issue(subject: Subject): Certificate
}

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
}

const DAY_MS = 86_400_000
/** A clock that is a little behind takes the certificate, too. */
const EARLIER_MS = 3_600_000

export function newAuthority(now: number, days = 365): Authority {
  const own = { commonName: 'switchyard-lab-ca' }
  const span = { from: new Date(now - EARLIER_MS), until: new Date(now + days * DAY_MS) }
  const issuerKey = keyPair()
  const root = certificate({ subject: own, issuer: own, span, publicKey: issuerKey.publicKey, use: 'authority' })
  return {
    cert: pem(signed(root, issuerKey.privateKey)),
    issue: subject => {
      const { publicKey, privateKey } = keyPair()
      const content = certificate({ subject, issuer: own, span, publicKey, use: 'both ends' })
      const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
      return { key, cert: pem(signed(content, issuerKey.privateKey)) }
    },
  }
}

function keyPair(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { privateKey, publicKey: createPublicKey(privateKey) }
}

interface Content {
  readonly subject: Subject
  readonly issuer: Subject
  readonly span: { readonly from: Date; readonly until: Date }
  readonly publicKey: KeyObject
  readonly use: 'authority' | 'both ends'
}

/** What is signed: TBSCertificate of RFC 5280, version 3. */
function certificate({ subject, issuer, span, publicKey, use }: Content): Buffer {
  return der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))),
    der.integer(randomBytes(16)),
    algorithm(),
    name(issuer),
    der.sequence(der.time(span.from), der.time(span.until)),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der.explicit(3, der.sequence(...(use === 'authority' ? authorityExtensions() : endExtensions(subject)))),
  )
}

function signed(content: Buffer, key: KeyObject): Buffer {
  return der.sequence(content, algorithm(), der.bits(sign('sha256', content, key)))
}

function algorithm(): Buffer {
  return der.sequence(der.objectIdentifier(OID.ecdsaWithSha256))
}

function name({ commonName, organizations = [] }: Subject): Buffer {
  const part = (type: string, text: string) => der.set(der.sequence(der.objectIdentifier(type), der.utf8(text)))
  return der.sequence(...organizations.map(it => part(OID.organization, it)), part(OID.commonName, commonName))
}

function authorityExtensions(): readonly Buffer[] {
  return [
    extension(OID.basicConstraints, der.sequence(der.boolean(true)), 'critical'),
    // keyCertSign and cRLSign
    extension(OID.keyUsage, der.bits(Buffer.from([0x06]), 1), 'critical'),
  ]
}

function endExtensions({ hosts = [] }: Subject): readonly Buffer[] {
  const purposes = [OID.serverAuth, OID.clientAuth].map(der.objectIdentifier)
  return [
    extension(OID.basicConstraints, der.sequence(), 'critical'),
    // digitalSignature
    extension(OID.keyUsage, der.bits(Buffer.from([0x80]), 7), 'critical'),
    extension(OID.extendedKeyUsage, der.sequence(...purposes), 'plain'),
    ...(hosts.length > 0 ? [extension(OID.subjectAltName, der.sequence(...hosts.map(generalName)), 'plain')] : []),
  ]
}

function extension(id: string, value: Buffer, weight: 'critical' | 'plain'): Buffer {
  const critical = weight === 'critical' ? [der.boolean(true)] : []
  return der.sequence(der.objectIdentifier(id), ...critical, der.octets(value))
}

function generalName(host: string): Buffer {
  return isIP(host) === 0 ? der.implicit(2, Buffer.from(host, 'latin1')) : der.implicit(7, addressBytes(host))
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const groups = (text: string) => text.split(':').filter(Boolean)
  const [first, last] = [groups(head), groups(tail ?? '')]
  const all = [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last]
  return Buffer.from(all.map(group => group.padStart(4, '0')).join(''), 'hex')
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g)!
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
