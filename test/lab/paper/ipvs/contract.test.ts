import { PaperKernel } from '#lab/paper/kernel.ts'
import { IP } from '../../../contracts/tools/ip.ts'
import { IPSET } from '../../../contracts/tools/ipset.ts'
import { IPVSADM } from '../../../contracts/tools/ipvsadm.ts'
import { toolContract } from '../../../contracts/tools.ts'

for (const tool of [IPSET, IPVSADM, IP]) {
  toolContract(tool, async () => ({ kernel: new PaperKernel({ ipvs: { addresses: [] } }), end: async () => {} }))
}
