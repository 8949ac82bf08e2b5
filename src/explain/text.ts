import { hostPort } from '#values/address.ts'
import type { Explanation, Station, Way } from './answer.ts'

// An explanation → lines for a person.

export function explanationText(explanation: Explanation): string {
  const { ways, before, reason, findings, sent } = explanation
  const stations = before.map(stationText)
  // With one way alone, its chance goes without saying.
  const paths = ways.map(way => wayText(way, ways.length))
  const lines = [
    ...(reason === undefined ? [] : [`Why: ${reason.text}.`]),
    ...findings.map(finding => `Look at: ${finding}.`),
    ...(sent === undefined ? [] : [sent.text]),
  ]
  return [[headline(explanation), ...stations].join('\n'), paths.join('\n\n'), ...lines]
    .filter(text => text !== '')
    .join('\n')
}

function headline({ from, to, node, mode, rules }: Explanation): string {
  const source = from.label === from.address ? from.label : `${from.label} (${from.address})`
  const port = `${hostPort(to.address, to.port)}/${to.protocol}`
  const goal = to.label === '' ? port : `${to.label} (${port})`
  return `From ${source} to ${goal}, by the rules of node ${node || '?'} in ${mode} mode${rules === 'wanted' ? '' : ', as its kernel has them'}:`
}

function stationText({ at, text }: Station): string {
  return `  ${at}: ${text}`
}

function wayText({ share, hops, end, source, after }: Way, ways: number): string {
  const chance = ways > 1 ? [`${(share * 100).toFixed(1)} % of all connections:`] : []
  const steps = hops.map(({ at, rule, did }) => `  ${at}: ${did}\n      ${rule}`)
  const kept = source === undefined ? [] : [`  source: ${source}`]
  return [...chance, ...steps, ...kept, ...after.map(stationText), `  ⇒ ${endText(end)}`].join('\n')
}

function endText(end: Way['end']): string {
  switch (end.to) {
    case 'endpoint':
      return `arrives at ${end.endpoint}${end.masqueraded ? ", with the node's address as its source" : ''}`
    case 'rejected':
      return 'is refused'
    case 'dropped':
      return 'is dropped'
    case 'untouched':
      return `is no concern of ours: it goes where its address says${end.masqueraded ? ", with the node's address as its source" : ''}`
  }
}
