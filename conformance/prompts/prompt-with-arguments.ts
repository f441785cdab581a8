/** `test_prompt_with_arguments`: a text with two arguments, which are completed. */

import { z } from 'zod'
import { completable, definePrompt } from '../../packages/server/src/engine/index.ts'

const WORDS = ['paris', 'park', 'party', 'test', 'testing']

function startingWith(typed: string): string[] {
  return WORDS.filter((word) => word.startsWith(typed))
}

export default definePrompt({
  name: 'test_prompt_with_arguments',
  description: 'A text with two arguments.',
  arguments: z.object({
    arg1: completable(z.string().describe('First test argument'), startingWith),
    arg2: completable(z.string().describe('Second test argument'), startingWith),
  }),
  render: ({ arg1, arg2 }) => `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`,
})
