import { NO_CHANGE, type RangeSource, type RangesMemory } from './range-source.ts'

/** Each network names its own ranges, as with host-local: this node has none besides, and what it had is forgotten. */
export function configSource(memory: Pick<RangesMemory, 'load' | 'drop'>): RangeSource {
  return {
    name: 'config',
    mine: () => ({ sets: [], why: 'each network names its own ranges' }),
    async refresh() {
      if (memory.load() !== undefined) memory.drop()
      return NO_CHANGE
    },
    more: async () => 'never',
    takeBack: async () => [],
  }
}
