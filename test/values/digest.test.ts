import { expect, test } from 'vitest'
import { hash8, hash16, textNumber } from '#values/digest.ts'

// The names of chains, by kube-proxy's hash; and a number for a text, by which it is compared with what it was.

test('is a whole number, the same for the same text', () => {
  for (const text of ['', 'a', '-A KUBE-SVC-A -j RETURN', 'x'.repeat(100_000)]) {
    expect(Number.isSafeInteger(textNumber(text))).toBe(true)
    expect(textNumber(`${text}`)).toBe(textNumber(text))
  }
})

test('is another for each character that is, for their order, and for their number', () => {
  const text = '-A KUBE-SEP-A -p tcp -j DNAT --to-destination 10.0.0.1:80'
  const changed = [...text].flatMap((_, i) =>
    ['0', 'b', ' '].map(other => `${text.slice(0, i)}${other}${text.slice(i + 1)}`),
  )
  const cut = [...text].map((_, i) => text.slice(0, i) + text.slice(i + 1))
  const swapped = [...text].slice(1).map((_, i) => text.slice(0, i) + text[i + 1] + text[i] + text.slice(i + 2))
  const texts = new Set([text, ...changed, ...cut, ...swapped, `${text}\n`, `${text}\0`])
  expect(new Set([...texts].map(textNumber)).size).toBe(texts.size)
})

test('is spread over all it can be: of two hundred thousand similar texts no two have the same', () => {
  const numbers = Array.from({ length: 200_000 }, (_, i) => textNumber(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`))
  expect(new Set(numbers).size).toBe(numbers.length)
  expect(numbers.filter(number => number >= 2 ** 52).length / numbers.length).toBeCloseTo(0.5, 1)
  expect(numbers.filter(number => number % 2 === 1).length / numbers.length).toBeCloseTo(0.5, 1)
})

test.each([
  ['default/db-service:3306tcp', '3TNEVSQEVUCP4TQO'],
  ['default/db-service:3306tcp10.244.1.2:3306', 'I7CURNLPIVBZIY32'],
  ['default/nptcp', 'LDATH6LIB7VCFHLW'],
  ['default/dstcp[fd00:244:1::5]:81', 'HVCDSDIVFKCR2576'],
  ['default/kubernetes:httpstcp', 'NPX46M4PTMTKRN6Y'],
])('the hash of %s is %s', (text, hash) => expect(hash16(text)).toBe(hash))

test('the short hash is that of nftables chains', () => {
  expect(hash8('default/db-service/tcp/3306')).toBe('2G6UF2JP')
  expect(hash8('default/np/tcp/')).toBe('L54OOY4A')
})
