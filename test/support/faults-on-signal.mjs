// Preloaded into a Keylet of a test: on SIGUSR2 it does what FAULT names, where no boundary is.
const faults = {
  connection() {
    throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
  },
  exception() {
    throw new Error('injected');
  },
  rejection() {
    void Promise.reject(new Error('injected'));
  },
  // What a burst of work leaves behind: a third of a gigabyte that nothing needs any more.
  garbage() {
    let objects = [];
    for (let i = 0; i < 4_000_000; i += 1) objects.push({ i, text: `${i}` });
    objects = undefined;
  },
};
const fault = faults[process.env.FAULT];
process.on('SIGUSR2', () => setImmediate(() => fault()));
