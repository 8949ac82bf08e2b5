import { expect, test } from 'vitest'
import { decodeAs } from '#kubernetes/decode/decode.ts'
import { documents } from '#kubernetes/sources/files.ts'

const METADATA = { name: 'kubernetes' }

test('a ServiceCIDR is kept with its ranges', () => {
  expect(decodeAs('ServiceCIDR', { metadata: METADATA, spec: { cidrs: ['10.96.0.0/12', 'fd10:96::/108'] } })).toEqual({
    ok: true,
    problems: [],
    warnings: [],
    object: { kind: 'ServiceCIDR', name: 'kubernetes', cidrs: ['10.96.0.0/12', 'fd10:96::/108'] },
  })
})

test('a range that is none is reported and left out', () => {
  expect(
    decodeAs('ServiceCIDR', { metadata: METADATA, spec: { cidrs: ['10.96.0.0', '10.112.0.0/16'] } }),
  ).toMatchObject({
    ok: true,
    problems: ['spec.cidrs[0]: "10.96.0.0" is not an address range like 10.96.0.0/12'],
    object: { cidrs: ['10.112.0.0/16'] },
  })
})

test('one without a name is none', () => {
  expect(decodeAs('ServiceCIDR', { spec: { cidrs: ['10.96.0.0/12'] } })).toMatchObject({
    ok: false,
    problems: ['metadata.name: nothing is not the name of a ServiceCIDR'],
  })
})

test('files deliver it, too, and leave out what has its name in another group', () => {
  const text = ['networking.k8s.io/v1', 'example.com/v1']
    .map(
      (apiVersion, i) =>
        `apiVersion: ${apiVersion}\nkind: ServiceCIDR\nmetadata: {name: r${i}}\nspec: {cidrs: [10.9${i}.0.0/16]}\n`,
    )
    .join('---\n')
  const put = documents([{ name: 'ranges.yaml', text }]).filter(({ type }) => type === 'put')
  expect(put).toEqual([{ type: 'put', object: { kind: 'ServiceCIDR', name: 'r0', cidrs: ['10.90.0.0/16'] } }])
})
