/** One thing that a health endpoint checks. @returns why it fails, or undefined */
interface HealthCheck {
  readonly name: string;
  readonly fault: () => string | undefined;
}

export interface HealthReport {
  readonly code: 200 | 404 | 500;
  readonly text: string;
}

export interface HealthQuery {
  readonly verbose: boolean;
  readonly exclude: readonly string[];
}

/** `/healthz`, `/livez`, `/readyz` and each of their checks by itself, answered as by kube-apiserver. */
export interface Health {
  /** Undefined for a path that is none of these. */
  report(path: string, query: HealthQuery): HealthReport | undefined;
}

const healthy = (): undefined => undefined;

/** @param storeFault why the store refuses writes at present */
export function createHealth(storeFault: () => string | undefined): Health {
  const always: readonly HealthCheck[] = [
    { name: 'ping', fault: healthy },
    { name: 'log', fault: healthy },
  ];
  const store: HealthCheck = { name: 'etcd', fault: storeFault };
  const endpoints: ReadonlyMap<string, readonly HealthCheck[]> = new Map([
    ['healthz', [...always, store]],
    // A restart would not mend the disk: the server is alive all the same.
    ['livez', [...always, { name: 'etcd', fault: healthy }]],
    ['readyz', [...always, store]],
  ]);
  return {
    report(path, query) {
      const [, endpoint = '', check] = /^\/([a-z]+)(?:\/([^/]+))?$/.exec(path) ?? [];
      const checks = endpoints.get(endpoint);
      if (checks === undefined) return undefined;
      if (check === undefined) return reportOf(endpoint, checks, query);
      const found = checks.find(({ name }) => name === check);
      return found === undefined ? undefined : reportOf(`${endpoint}/${check}`, [found], query);
    },
  };
}

function reportOf(
  endpoint: string,
  checks: readonly HealthCheck[],
  { verbose, exclude }: HealthQuery,
): HealthReport {
  const lines: string[] = [];
  let hasFailed = false;
  for (const { name, fault } of checks) {
    const reason = exclude.includes(name) ? undefined : fault();
    hasFailed ||= reason !== undefined;
    if (exclude.includes(name)) lines.push(`[+]${name} excluded: ok`);
    else lines.push(reason === undefined ? `[+]${name} ok` : `[-]${name} failed: ${reason}`);
  }
  const unknown = exclude.filter(each => !checks.some(({ name }) => name === each));
  if (unknown.length > 0) {
    const names = unknown.map(each => JSON.stringify(each.slice(0, 100))).join(',');
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  lines.push(`${endpoint} check ${hasFailed ? 'failed' : 'passed'}`);
  if (hasFailed) return { code: 500, text: `${lines.join('\n')}\n` };
  return { code: 200, text: verbose ? `${lines.join('\n')}\n` : 'ok' };
}
