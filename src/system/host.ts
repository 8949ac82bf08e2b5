import { hostname } from 'node:os'

// What this process was given by the machine it runs on.

export function hostName(): string {
  return hostname()
}

export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env
}
