/** The arguments of every measured server: its port, and the number of tools. */

const [port, tools] = process.argv.slice(2)

export const PORT = Number(port)

/** The names of all tools, in the order of registration: `echo` stands in the middle. */
export const TOOL_NAMES = Array.from(
  { length: Number(tools ?? 1) },
  (_, index, half = Math.floor(Number(tools) / 2)) => (index === half ? 'echo' : `tool_${index}`),
)

export const DESCRIPTION = 'Returns its text.'
