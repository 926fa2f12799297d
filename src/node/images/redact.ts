import type { AuthConfig } from '../runtime/runtime.ts';

/**
 * What a runtime says of a pull, fit to be shown: a registry may repeat what it was sent, and addresses may
 * carry a password or a signature. `told` are words that whoever wrote the message may have logged too.
 */
export function redact(
  message: string,
  credentials: readonly AuthConfig[],
  image: string,
): { readonly text: string; readonly told: readonly string[] } {
  const words = credentials
    .flatMap(wordsOf)
    // A word of the image's own name, or of a letter or two, would be told by its absence.
    .filter(word => word.length > 3 && !image.includes(word))
    .toSorted((a, b) => b.length - a.length);
  const told = words.some(word => message.includes(word)) ? words : [];
  const text = told.reduce((rest, word) => rest.replaceAll(word, '[REDACTED]'), message);
  return { text: redactUrls(text), told };
}

/** A password in the forms in which HTTP, JSON and URLs carry it. */
function wordsOf({ username = '', password = '' }: AuthConfig): string[] {
  const encode = (text: string): string => Buffer.from(text).toString('base64').replace(/=+$/, '');
  return [
    ...new Set([
      password,
      encodeURIComponent(password),
      new URLSearchParams({ p: password }).toString().slice(2),
      JSON.stringify(password).slice(1, -1),
      JSON.stringify(JSON.stringify(password).slice(1, -1)).slice(1, -1),
      encode(password),
      encode(`${username}:${password}`),
    ]),
  ];
}

/** As Go and containerd write such addresses: `https://user:***@host/path?key=[REDACTED]`. */
const redactUrls = (text: string): string =>
  text.replaceAll(/https?:\/\/[^\s"'<>]+/g, url =>
    url
      .replace(/^(https?:\/\/)([^/?#]*)@/, (_all, scheme: string, user: string) =>
        user.includes(':') ? `${scheme}${user.slice(0, user.indexOf(':'))}:***@` : `${scheme}***@`,
      )
      .replaceAll(/([?&][^=&#]+=)[^&#]*?(?=[:,.)]*$|[&#])/g, '$1[REDACTED]'),
  );
