import { readdirSync, readFileSync } from 'node:fs'

// A process → the memory of it and of all that it has started, as the kernel counts what is in RAM.

export interface Memory {
  readonly mebibytes: number
  readonly processes: number
}

export function memoryOf(pid: number): Memory {
  const all = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  const states = new Map(all.map(name => [Number(name), stateOf(name)]))
  const family = new Set([pid])
  for (let size = 0; size < family.size; ) {
    size = family.size
    for (const [child, { parent }] of states) if (family.has(parent)) family.add(child)
  }
  const kibibytes = [...family].reduce((sum, member) => sum + (states.get(member)?.kibibytes ?? 0), 0)
  return { mebibytes: Math.round(kibibytes / 1024), processes: family.size }
}

/** One that has ended meanwhile has none. */
function stateOf(pid: string): { readonly parent: number; readonly kibibytes: number } {
  try {
    const text = readFileSync(`/proc/${pid}/status`, 'latin1')
    const number = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
    return { parent: number('PPid'), kibibytes: number('VmRSS') }
  } catch {
    return { parent: 0, kibibytes: 0 }
  }
}
