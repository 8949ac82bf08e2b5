import { expect, test } from 'vitest'
import { tourObjects } from '#lab/cluster/tour/objects.ts'

const addresses = (clusterIPs: string) =>
  tourObjects({ clusterIPs }).flatMap(({ kind, metadata, spec }: { kind?: string; metadata: object; spec?: object }) =>
    kind === 'Service' ? [[(metadata as { name: string }).name, (spec as { clusterIP?: string }).clusterIP]] : [],
  )

test('the Services of the tour have the addresses of the file where the range has them', () => {
  expect(addresses('10.96.0.0/12')).toEqual([
    ['db-service', '10.103.132.104'],
    ['web', undefined],
    ['dns', '10.96.0.10'],
  ])
})

test('of another range, the API server chooses', () => {
  expect(addresses('172.30.0.0/16').map(([, address]) => address)).toEqual([undefined, undefined, undefined])
})

const nodePorts = (range: string) =>
  tourObjects({ nodePorts: range }).flatMap(({ spec }: { kind?: string; spec?: object }) =>
    ((spec as { ports?: { nodePort?: number }[] }).ports ?? []).flatMap(({ nodePort }) => nodePort ?? []),
  )

test('the node port of web is that of the file where the range has it, and else the API server chooses', () => {
  expect(nodePorts('30000-32767')).toEqual([30_080])
  expect(nodePorts('30080-30080')).toEqual([30_080])
  expect(nodePorts('31000-31100')).toEqual([])
})
