/** What every measured server is told: its port, and how many tools it has. */

const [port, tools] = process.argv.slice(2)

export const PORT = Number(port)

/** The names of all tools, in the order of registration: `echo` stands in the middle. */
export const TOOL_NAMES = Array.from(
  { length: Number(tools ?? 1) },
  (_, index, half = Math.floor(Number(tools) / 2)) => (index === half ? 'echo' : `tool_${index}`),
)

export const DESCRIPTION = 'Says what it was told.'
