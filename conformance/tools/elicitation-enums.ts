/** `test_elicitation_sep1330_enums`: a form with each kind of choice. */

import { z } from 'zod'
import { choice, choices, defineContentTool, form } from '../../packages/server/src/engine/index.ts'

export default defineContentTool({
  name: 'test_elicitation_sep1330_enums',
  description: 'Asks with a form of choices.',
  input: z.object({}),
  async run({ ask }) {
    const options = ['option1', 'option2', 'option3'] as const
    const titles = { value1: 'First Option', value2: 'Second Option', value3: 'Third Option' }
    const enumNames = ['Option One', 'Option Two', 'Option Three']
    const fields = z.object({
      untitledSingle: z.enum(options),
      titledSingle: choice(titles),
      legacyEnum: z.enum(['opt1', 'opt2', 'opt3']).meta({ enumNames }),
      untitledMulti: z.array(z.enum(options)),
      titledMulti: choices(titles),
    })
    const { answer } = await ask({ answer: form('Choose', fields) })
    return [{ type: 'text', text: `Elicitation completed: ${JSON.stringify(answer)}` }]
  },
})
