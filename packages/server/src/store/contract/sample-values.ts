/** Values that an incorrect driver would alter. */

export function everyKindOfValue() {
  return {
    emptyList: [],
    emptyObject: {},
    nested: { list: [[], {}, [1, [null]]] },
    float: 0.30000000000000004,
    whole: Number.MAX_SAFE_INTEGER,
    negative: -1.5e-7,
    large: 1e21,
    yes: true,
    no: false,
    nothing: null,
    empty: '',
    unicode: 'Grüße, 世界 👩‍👩‍👧 \u0000 \u2028 "\\',
    'ключ 🔑': 'keys too',
  }
}
