// Why nft refuses a script: what the kernel says of it, or its own parser.

export class NftRefusal extends Error {}

export function absent(): NftRefusal {
  return new NftRefusal('Could not process rule: No such file or directory')
}

export function exists(): NftRefusal {
  return new NftRefusal('Could not process rule: File exists')
}

export function busy(): NftRefusal {
  return new NftRefusal('Could not process rule: Device or resource busy')
}

export function syntax(word: string | undefined): NftRefusal {
  return new NftRefusal(`syntax error, unexpected ${word ?? 'newline'}`)
}
