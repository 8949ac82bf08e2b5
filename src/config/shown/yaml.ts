import { parse, stringify } from 'yaml'

// A JSON text → the same as YAML, as `-o yaml` prints it. Anything else stays as it is.

export function yamlText(json: string): string {
  if (!/^[[{]/.test(json)) return json
  // JSON is YAML, and read so a whole number keeps all of its digits.
  return stringify(parse(json, { intAsBigInt: true }), { lineWidth: 0 }).trimEnd()
}

/** A text for programs in the form that was asked for. */
export function inForm(text: string, { yaml }: { readonly yaml: boolean }): string {
  return yaml ? yamlText(text) : text
}
