/** Whether Go's strconv.ParseBool reads it as true. */
export const isGoTrue = (text: string): boolean => truths.has(text);

const truths: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
