/** The variables of the browser pages. */

import { facts } from './facts.ts'
import { address, oneOf, pattern, text } from './values.ts'

export const pageVariables = {
  APP_DESCRIPTION: text('a sentence').optional().register(facts, {
    what: 'What the server is for, in a sentence or two, on its landing page.',
  }),
  // `#` is optional: other programs take it for a comment in `.env` files.
  APP_COLOR: pattern(/^#?[\da-f]{6}$/i, 'six hexadecimal digits such as 1f4fbf')
    .default('1f4fbf')
    .register(facts, {
      what: 'The colour of buttons, links and the mark, made darker or lighter where the contrast is too low.',
    }),
  APP_SUPPORT_URL: address('an http or https address').optional().register(facts, {
    what: 'Where people get help; linked at the foot of every page.',
  }),
  LANDING_TOOLS: oneOf('auto', 'show', 'signed-in', 'hide').default('auto').register(facts, {
    what: 'Whether the landing page lists the tools. `auto`: not with MCP_AUTH=required, where a client needs a token for that list. `signed-in`: only in browsers that authorized a client that is signed in.',
  }),
}
