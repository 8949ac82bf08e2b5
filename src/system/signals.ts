// What this process does on a signal.

export type Reactions = Readonly<Partial<Record<'SIGTERM' | 'SIGINT' | 'SIGHUP', () => void>>>

export function onSignals(reactions: Reactions): { readonly off: () => void } {
  const entries = Object.entries(reactions)
  for (const [signal, react] of entries) process.on(signal, react)
  return {
    off: () => {
      for (const [signal, react] of entries) process.off(signal, react)
    },
  }
}
