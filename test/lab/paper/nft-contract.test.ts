import { PaperKernel } from '#lab/paper/kernel.ts'
import { nftContract } from '../../contracts/nft.ts'

nftContract(async () => ({ kernel: new PaperKernel(), end: async () => {} }))
