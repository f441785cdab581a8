/** What a POST is answered with: one JSON message, or whatever else HTTP has. */

/** A whole answer of status 200, for the HTTP layer to write out without a `Response` around it. */
export class JsonAnswer {
  readonly message: object

  constructor(message: object) {
    this.message = message
  }
}

export type McpAnswer = Response | JsonAnswer
