import { nftables } from '#proxy/modes/nftables/index.ts'
import { modeContract } from '../../../contracts/mode.ts'
import { nftWorld } from '../worlds.ts'

modeContract('nftables', { modeOf: family => nftables({ family, chainRemoval: 'at-once' }), worldOf: nftWorld })

modeContract('nftables on an older kernel', {
  modeOf: family => nftables({ family, chainRemoval: 'when-forgotten' }),
  worldOf: nftWorld,
})
