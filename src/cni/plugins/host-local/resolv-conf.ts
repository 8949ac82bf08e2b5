import type { CniDns } from '#cni/protocol/result.ts'

// The text of a resolv.conf → the `dns` of a result.

/** As the reference plugin reads it: several `search` or `options` lines add up, comments begin with `#` or `;`. */
export function resolvConfDns(text: string): CniDns {
  const nameservers: string[] = []
  const search: string[] = []
  const options: string[] = []
  let domain: string | undefined
  for (const [keyword, ...words] of text.split('\n').map(wordsOf)) {
    const [first] = words
    if (first === undefined) continue
    if (keyword === 'nameserver') nameservers.push(first)
    else if (keyword === 'domain') domain = first
    else if (keyword === 'search') search.push(...words)
    else if (keyword === 'options') options.push(...words)
  }
  return {
    ...(nameservers.length > 0 && { nameservers }),
    ...(domain !== undefined && { domain }),
    ...(search.length > 0 && { search }),
    ...(options.length > 0 && { options }),
  }
}

function wordsOf(line: string): readonly string[] {
  return /^[#;]/.test(line) ? [] : line.split(/\s+/).filter(word => word !== '')
}
