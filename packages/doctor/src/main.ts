/** The command of the package: `doctor URL` examines a server, `doctor token URL` gets a token for it. */

if (process.argv[2] === 'token') {
  process.argv.splice(2, 1)
  await import('./token.ts')
} else {
  await import('./doctor.ts')
}
