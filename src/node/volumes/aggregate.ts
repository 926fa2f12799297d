/** Several failures as one, as Kubernetes words them: each once, in brackets if there are several. */
export function aggregate(failures: readonly unknown[]): Error {
  const messages = [...new Set(failures.map(each => (each as Error).message))];
  const [first = ''] = messages;
  return new Error(messages.length === 1 ? first : `[${messages.join(', ')}]`, {
    cause: failures[0],
  });
}
