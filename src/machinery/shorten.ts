/** Longer than any field path, name or value that a message has to show in full. */
const maxShown = 512;

/** A text from a client as a message shows it: cut where it is too long to be read. */
export const shorten = (text: string, max = maxShown): string =>
  text.length <= max ? text : `${text.slice(0, max)}…`;
