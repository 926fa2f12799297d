/** What the client is told, as plain text. */
export class NodeServerError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'NodeServerError';
    this.code = code;
  }
}
