/** The client went before its request was whole: nobody is there to be answered, and nothing has failed. */
export class ClientGoneError extends Error {
  constructor(cause?: unknown) {
    super('The client went before its request was whole', { cause });
    this.name = 'ClientGoneError';
  }
}
