// Runtimes take the first configuration of a folder by its name → those that they take rather than ours.

const ENDINGS = ['.conf', '.conflist', '.json']

export function namesBefore(own: string, names: readonly string[]): readonly string[] {
  return names.filter(name => name < own && ENDINGS.some(ending => name.endsWith(ending))).sort()
}
