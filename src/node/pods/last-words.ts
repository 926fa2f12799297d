import { hasExited, type PodRuntimeState } from './runtime-state.ts';
import { readTerminationMessage } from './termination-message.ts';

/** What the containers of one pod said when they ended, each read once. */
export interface LastWords {
  read(state: PodRuntimeState): Promise<void>;
  /** @param id of the container; empty when it said nothing */
  of(id: string): string;
  forget(id: string): void;
}

export function createLastWords(): LastWords {
  const words = new Map<string, string>();
  return {
    async read(state) {
      for (const list of state.containers.values()) {
        for (const each of list) {
          if (hasExited(each) && !words.has(each.id))
            words.set(each.id, await readTerminationMessage(each));
        }
      }
    },
    of: id => words.get(id) ?? '',
    forget: id => void words.delete(id),
  };
}
