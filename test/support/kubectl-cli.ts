import { kubectlPath } from './kubectl.ts';
import { run, type Result, type RunOptions } from './run.ts';

/** The real kubectl, bound to one kubeconfig. */
export interface Kubectl {
  /** Its answer, whatever it is. `line` is split at spaces; values with spaces go in `more`. */
  try(line: string, more?: readonly string[], options?: RunOptions): Promise<Result>;
  /** What must succeed: answers stdout, trimmed at its end. */
  (line: string, more?: readonly string[], options?: RunOptions): Promise<string>;
  /** `apply -f -` of objects. */
  apply(...objects: object[]): Promise<string>;
  /** Runs a shell line in a container of a pod; answers stdout as it is. */
  sh(
    pod: string,
    script: string,
    options?: { namespace?: string; container?: string },
  ): Promise<string>;
  readonly kubeconfig: string;
}

export function createKubectl(kubeconfig: string): Kubectl {
  const attempt: Kubectl['try'] = async (line, more = [], options = {}) => {
    const args = [...line.split(' ').filter(word => word !== ''), ...more];
    return run(await kubectlPath(), ['--kubeconfig', kubeconfig, ...args], {
      ...options,
      // Its discovery cache would outlive the server that was asked.
      env: { ...options.env, KUBECACHEDIR: `${kubeconfig}.cache` },
    });
  };
  const must = async (line: string, more?: readonly string[], options?: RunOptions) => {
    const { code, stdout, stderr } = await attempt(line, more, options);
    if (code !== 0) {
      throw new Error(`kubectl ${line} ${(more ?? []).join(' ')} exited with ${code}\n${stderr}`);
    }
    return stdout.trimEnd();
  };
  return Object.assign(must, {
    kubeconfig,
    try: attempt,
    apply: (...objects: object[]) =>
      must('apply -f -', [], {
        input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
      }),
    sh: async (
      pod: string,
      script: string,
      { namespace = 'default', container }: { namespace?: string; container?: string } = {},
    ) => {
      const where = container === undefined ? '' : ` -c ${container}`;
      const line = `exec -n ${namespace} ${pod}${where} -- sh -c`;
      const { code, stdout, stderr } = await attempt(line, [script]);
      if (code !== 0) throw new Error(`${line} '${script}' exited with ${code}\n${stderr}`);
      return stdout;
    },
  });
}
