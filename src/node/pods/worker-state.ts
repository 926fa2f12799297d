/** Why a pod failed as a whole, whatever its containers did: it was rejected, or exceeded its deadline. */
export interface PodFailure {
  readonly reason: string;
  readonly message: string;
  /** The node did not admit the pod. */
  readonly rejected: boolean;
}

/** How a pod comes to its end. */
export interface Termination {
  readonly failure?: PodFailure;
  /**
   * `requested`: the API server waits for this node to delete the pod. `forced`: the API server has no such pod any
   * more. Absent: the pod ended by itself and stays in the API.
   */
  readonly deletion?: 'requested' | 'forced';
}

/** The states of a pod worker, in the order in which a pod passes through them. */
export type WorkerState =
  /** syncPod: the pod is brought to what its spec asks for. */
  | { readonly name: 'syncing' }
  /** syncTerminatingPod: nothing is started any more, and what runs is being stopped. */
  | ({ readonly name: 'terminating' } & Termination)
  /** syncTerminatedPod: no container runs. Sandbox and volumes are released; if the pod is deleted, all of it goes. */
  | ({ readonly name: 'terminated' } & Termination)
  /** Nothing of the pod is left on this node. */
  | { readonly name: 'finished' };

export type WorkerEvent =
  /** Its containers ended, and none will be started again; or the API server already has it as ended. */
  | { readonly type: 'podCompleted' }
  | { readonly type: 'podFailed'; readonly failure: PodFailure }
  | { readonly type: 'deletionRequested' }
  /** The API server has no such pod any more. */
  | { readonly type: 'podRemoved' }
  | { readonly type: 'containersStopped' }
  | { readonly type: 'resourcesRemoved' };

type StateName = WorkerState['name'];
type State<N extends StateName> = Extract<WorkerState, { name: N }>;
type EventType = WorkerEvent['type'];
type Event<T extends EventType> = Extract<WorkerEvent, { type: T }>;

/** What each event leads to. An event that a state does not list changes nothing: it came too late. */
const transitions: {
  readonly [N in StateName]: {
    readonly [T in EventType]?: (state: State<N>, event: Event<T>) => WorkerState;
  };
} = {
  syncing: {
    podCompleted: () => ({ name: 'terminating' }),
    podFailed: (_state, { failure }) => ({ name: 'terminating', failure }),
    deletionRequested: () => ({ name: 'terminating', deletion: 'requested' }),
    podRemoved: () => ({ name: 'terminating', deletion: 'forced' }),
  },
  terminating: {
    deletionRequested: requestDeletion,
    podRemoved: state => ({ ...state, deletion: 'forced' }),
    containersStopped: state => ({ ...state, name: 'terminated' }),
  },
  terminated: {
    deletionRequested: requestDeletion,
    podRemoved: state => ({ ...state, deletion: 'forced' }),
    resourcesRemoved: () => ({ name: 'finished' }),
  },
  finished: {},
};

/** What the API server no longer has cannot be deleted from it. */
function requestDeletion<S extends WorkerState & Termination>(state: S): S {
  return state.deletion === undefined ? { ...state, deletion: 'requested' } : state;
}

/** @returns the same object where nothing changes */
export function nextState(state: WorkerState, event: WorkerEvent): WorkerState {
  const transition = transitions[state.name][event.type] as
    ((state: WorkerState, event: WorkerEvent) => WorkerState) | undefined;
  return transition?.(state, event) ?? state;
}
