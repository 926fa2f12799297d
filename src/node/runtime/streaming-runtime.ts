/** Commands and connections inside containers and sandboxes. */
export interface StreamingRuntime {
  /** Runs a command to its end. @throws RuntimeError `timeout` after `timeoutSeconds` (0: no limit) */
  execSync(id: string, command: readonly string[], timeoutSeconds: number): Promise<ExecResult>;
  /** @returns the URL of the runtime's streaming server for one session, as `attach` and `portForward` do */
  exec(request: ExecRequest): Promise<string>;
  attach(request: Omit<ExecRequest, 'command'>): Promise<string>;
  portForward(podSandboxId: string, ports: readonly number[]): Promise<string>;
}

export interface ExecResult {
  stdout: Buffer;
  stderr: Buffer;
  exitCode: number;
}

export interface ExecRequest {
  containerId: string;
  command: readonly string[];
  tty: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}
