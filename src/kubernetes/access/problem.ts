// What is wrong with how we reach the API server → one line for the person on call.

/** Names the file, the field and the value, and what would be right. Never shows a secret. */
export class CredentialsProblem extends Error {
  override readonly name = 'CredentialsProblem'
}

/** Why a file could not be read, in words. */
export function unreadable(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied'
  if (code === 'EISDIR') return 'it is a directory'
  return message
}
