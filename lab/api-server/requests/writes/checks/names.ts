// A name → what is wrong with it, in the sentences of kube-apiserver; undefined where nothing is.

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const EARLY_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const ENDS = 'must start and end with an alphanumeric character'

interface Form {
  readonly pattern: string
  readonly longest: number
  readonly sentence: string
}

/** RFC 1123: a Namespace, a container. */
export const LABEL_NAME: Form = {
  pattern: LABEL,
  longest: 63,
  sentence: `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and ${ENDS} (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`,
}

/** RFC 1035: a Service, which older resolvers must find. */
export const EARLY_LABEL_NAME: Form = {
  pattern: EARLY_LABEL,
  longest: 63,
  sentence: `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${EARLY_LABEL}')`,
}

export const SUBDOMAIN_NAME: Form = {
  pattern: SUBDOMAIN,
  longest: 253,
  sentence: `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and ${ENDS} (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`,
}

export function problemOfName(name: string, { pattern, longest, sentence }: Form): string | undefined {
  if (name.length > longest) return `must be no more than ${longest} bytes`
  return new RegExp(`^${pattern}$`).test(name) ? undefined : sentence
}
