import type { KubeClient } from '../../src/client/client.ts';
import type { EventRecorder } from '../../src/client/event-recorder.ts';
import { resources } from '../../src/api/index.ts';
import type { ControllerContext, KnownResources } from '../../src/controllers/controller.ts';
import { fedInformers, type FedInformers } from './fed-informer.ts';

export interface TestContext extends ControllerContext {
  readonly informers: FedInformers;
  /** `<object> <reason>: <message>` of each event. */
  readonly events: readonly string[];
  /** Every line of log. */
  readonly lines: readonly string[];
}

/** Nothing but the built-in resources, at all times. */
export const builtInResources: KnownResources = {
  descriptors: () => resources,
  onChange: () => undefined,
};

/** What a controller is started with, around a client that the test fakes. */
export function testContext(client: Partial<KubeClient>): TestContext {
  const events: string[] = [];
  const lines: string[] = [];
  const line = (message: string, fields = {}): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const recorder: EventRecorder = {
    event: ({ metadata }, _type, reason, message) =>
      void events.push(`${metadata.name ?? ''} ${reason}: ${message}`),
    flush: () => Promise.resolve(),
  };
  return {
    client: client as KubeClient,
    resources: builtInResources,
    informers: fedInformers(),
    recorder: () => recorder,
    signal: new AbortController().signal,
    log: { debug: line, info: line, warn: line, error: line },
    events,
    lines,
  };
}
