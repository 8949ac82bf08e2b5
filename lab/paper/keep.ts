import type { Keep } from '#system/ports.ts'

/** A folder on paper: what is kept by name, while `isWritable`. */
export function paperKeep(kept: Map<string, string>, isWritable: () => boolean = () => true): Keep {
  return {
    load: async name => kept.get(name),
    save: async (name, pieces) => {
      const text = (await Array.fromAsync(pieces)).join('')
      if (isWritable()) kept.set(name, text)
      return isWritable()
    },
    append: async (name, piece) => {
      const before = kept.get(name)
      if (before === undefined || !isWritable()) return false
      kept.set(name, before + piece)
      return true
    },
  }
}
