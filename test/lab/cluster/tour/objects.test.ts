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
