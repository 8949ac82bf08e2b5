// Text of iptables ⇄ typed rules: the public face. Nothing here needs the rest of the project.

export { canonical } from './canonical.ts'
export { type ChainTexts, canonicalChains } from './chains.ts'
export { parseList } from './list.ts'
export { ParseError, type Place } from './parse-error.ts'
export {
  type Counters,
  type Family,
  type Given,
  type Match,
  type Option,
  Options,
  type RuleParts,
  type Target,
} from './parts.ts'
export { parseRule, type Rule } from './rule.ts'
export { ruleText } from './rule-text.ts'
export { type Chain, format, parse, type Save, type Table } from './save.ts'
export { type Word, words } from './words.ts'
