import { describe, expect, test } from 'vitest'
import { type KeptFor, keptText, keptUnits } from '#proxy/sync/kept.ts'
import { hash16 } from '#values/digest.ts'

const FOR: KeptFor = { generation: 4711, identity: ['v1', 'boot', 'net:[4026531840]', 'iptables'] }
const UNITS = new Map([
  ['nat KUBE-SERVICES', '-A KUBE-SERVICES -j RETURN'],
  ['nat KUBE-SEP-A', ''],
  ['nat -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES', ''],
])
const TEXT = keptText(UNITS, FOR)

describe('a kept belief', () => {
  test('is read back as units and hashes of their texts', () => {
    expect(keptUnits(TEXT, FOR)).toEqual(new Map([...UNITS].map(([unit, text]) => [unit, hash16(text)])))
    expect(keptUnits(keptText(new Map(), FOR), FOR)).toEqual(new Map())
  })

  test('is of no worth after another commit, in another boot, network, mode or version', () => {
    expect(keptUnits(TEXT, { ...FOR, generation: 4712 })).toBeUndefined()
    for (let i = 0; i < FOR.identity.length; i++) {
      expect(keptUnits(TEXT, { ...FOR, identity: FOR.identity.with(i, 'other') })).toBeUndefined()
    }
    expect(keptUnits(TEXT, { ...FOR, identity: [...FOR.identity, 'more'] })).toBeUndefined()
  })

  test('is of no worth where a single byte is another, missing, or too many', () => {
    for (let at = 0; at < TEXT.length; at++) {
      const [before, after] = [TEXT.slice(0, at), TEXT.slice(at + 1)]
      const byte = String.fromCharCode(TEXT.charCodeAt(at) ^ 1)
      for (const broken of [before + byte + after, before + after, `${before}x${TEXT.slice(at)}`, before]) {
        expect(keptUnits(broken, FOR), `at ${at}: ${broken}`).toBeUndefined()
      }
    }
    for (const text of ['', '\n', `${TEXT}\n`, TEXT + TEXT, `${TEXT}x`]) expect(keptUnits(text, FOR)).toBeUndefined()
  })

  test('is of no worth where it is whole and makes no sense', () => {
    const forged = (body: string): string => `${body}${hash16(body)}\n`
    const [format, , ...lines] = TEXT.split('\n')
    const head = (units: number): string => JSON.stringify({ ...FOR, units })
    for (const body of [
      ['other', head(3), ...lines.slice(0, 3), ''],
      [format, head(2), ...lines.slice(0, 3), ''],
      [format, head(4), ...lines.slice(0, 3), lines[0], ''],
      [format, '', ...lines.slice(0, 3), ''],
    ]) {
      expect(keptUnits(forged(body.join('\n')), FOR)).toBeUndefined()
    }
  })
})
