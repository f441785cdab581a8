/** The two demo users and their accounts at the demo bank. */

export interface Transaction {
  readonly id: string
  /** ISO 8601 date. */
  readonly date: string
  readonly description: string
  /** In the account's currency; negative for debits. */
  readonly amount: number
}

export interface Account {
  readonly id: string
  readonly iban: string
  readonly accountNumber: string
  readonly balance: number
  readonly currency: string
  /** A field that a bank's API may return but that must not leak: no tool declares it. */
  readonly internalRiskScore: number
  readonly transactions: readonly Transaction[]
}

export interface Person {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly account: Account
}

export const PEOPLE: readonly Person[] = [
  {
    id: 'ada',
    name: 'Ada Lovelace',
    email: 'ada@example.com',
    account: {
      id: 'acc-1815',
      iban: 'GB33BUKB20201555555555',
      accountNumber: '55555555',
      balance: 1842.5,
      currency: 'GBP',
      internalRiskScore: 12,
      transactions: [
        { id: 'tx-103', date: '2026-03-14', description: 'Analytical Engines Ltd', amount: 950 },
        { id: 'tx-102', date: '2026-03-09', description: 'Punch cards, 500', amount: -42.8 },
        { id: 'tx-101', date: '2026-03-02', description: 'Bookshop', amount: -18.25 },
      ],
    },
  },
  {
    id: 'grace',
    name: 'Grace Hopper',
    email: 'grace@example.com',
    account: {
      id: 'acc-1906',
      iban: 'DE75512108001245126199',
      accountNumber: '1245126199',
      balance: 7030.19,
      currency: 'EUR',
      internalRiskScore: 47,
      transactions: [
        { id: 'tx-203', date: '2026-03-15', description: 'Compiler royalties', amount: 1952 },
        { id: 'tx-202', date: '2026-03-11', description: 'Wire, one nanosecond', amount: -0.3 },
        { id: 'tx-201', date: '2026-03-01', description: 'Moth-proof cupboard', amount: -219.99 },
      ],
    },
  },
]

export function findPerson(id: string): Person | undefined {
  return PEOPLE.find((person) => person.id === id)
}

/** The owner of an account. */
export function findOwner(accountId: string): Person | undefined {
  return PEOPLE.find((person) => person.account.id === accountId)
}
