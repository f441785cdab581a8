/** The entry point: `doctor URL` checks a server, `doctor token URL` obtains a token for it. */

if (process.argv[2] === 'token') {
  process.argv.splice(2, 1)
  await import('./token.ts')
} else {
  await import('./doctor.ts')
}
