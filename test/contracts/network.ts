import { afterEach, beforeEach, describe } from 'vitest'
import type { Networks } from '#system/network/network.ts'
import { addressCases } from './network/addresses.ts'
import { bridgeCases } from './network/bridges.ts'
import { Ground } from './network/ground.ts'
import { linkCases } from './network/links.ts'
import { nameCases } from './network/names.ts'
import { namespaceCases } from './network/namespaces.ts'
import { neighbourCases } from './network/neighbours.ts'
import { routeCases } from './network/routes.ts'

// What Networks promise, on the real kernel: over netlink, and by commands where FFI is refused.

export function networkContract(name: string, networks: () => Networks): void {
  describe(`${name}:`, () => {
    let ground: Ground
    const at = (): Ground => ground
    beforeEach(async () => {
      ground = await Ground.open(networks())
    })
    afterEach(() => ground.end())

    linkCases(at)
    nameCases(at)
    bridgeCases(at)
    addressCases(at)
    routeCases(at)
    neighbourCases(at)
    namespaceCases(networks, at)
  })
}
