import { hasExited, type PodRuntimeState } from './runtime-state.ts';
import { readTerminationMessage } from './termination-message.ts';

/** The termination messages of one pod's containers, each read once. */
export interface TerminationMessages {
  read(state: PodRuntimeState): Promise<void>;
  /** @returns empty where the container left none */
  get(containerId: string): string;
  forget(containerId: string): void;
}

export function createTerminationMessages(): TerminationMessages {
  const messages = new Map<string, string>();
  return {
    async read(state) {
      for (const list of state.containers.values()) {
        for (const each of list) {
          if (hasExited(each) && !messages.has(each.id))
            messages.set(each.id, await readTerminationMessage(each));
        }
      }
    },
    get: id => messages.get(id) ?? '',
    forget: id => void messages.delete(id),
  };
}
