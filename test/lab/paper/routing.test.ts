import { PaperRouting } from '#lab/paper/routing.ts'
import { routingContract } from '../../contracts/routing.ts'

routingContract(async () => {
  const paper = new PaperRouting()
  return {
    network: paper.network,
    plug: async (name, ...addresses) => paper.plug(name, ...addresses),
    end: async () => {},
  }
})
