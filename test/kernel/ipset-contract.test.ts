import { describe } from 'vitest'
import { IPSET } from '../contracts/tools/ipset.ts'
import { toolContract } from '../contracts/tools.ts'
import { whyNot } from './ground.ts'
import { newNamespace } from './namespace.ts'

// The cases that ipset on paper passes, on the real one.

const reason = await whyNot(['ipset', 'iptables', 'ip6tables'])

describe.skipIf(reason !== undefined)(`the real one${reason === undefined ? '' : ` (${reason})`}`, () => {
  toolContract(IPSET, () => newNamespace('ipset'))
})
