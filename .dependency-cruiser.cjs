// The arrows of docs/architecture.md, held by CI. Each rule says why.
/** @type {import('dependency-cruiser').IConfiguration} */
const layer = (name, allowed, comment) => ({
  name: `${name}-imports`,
  severity: 'error',
  comment,
  from: { path: `^src/${name}/`, pathNot: '\\.test\\.ts$' },
  to: { path: '^src/', pathNot: `^src/(${[name, ...allowed].join('|')})/` },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Data flows one way',
      from: {},
      to: { circular: true },
    },
    layer('machinery', [], 'What every object shares: pure, no I/O, knows nobody'),
    layer('api', ['machinery'], 'Resources are descriptions'),
    layer('store', ['machinery'], 'The store keeps bytes; it knows no resource'),
    layer('client', ['machinery', 'api'], 'A client knows the API, not who serves it'),
    layer(
      'server',
      ['machinery', 'api', 'store'],
      'The server never reaches into the node, nor uses a client of itself',
    ),
    layer(
      'node',
      ['machinery', 'api', 'client'],
      'The agent knows the server only as an API over HTTPS',
    ),
    layer(
      'controllers',
      ['machinery', 'api', 'client'],
      'Controllers are clients, as the agent is',
    ),
    {
      name: 'machinery-is-pure',
      severity: 'error',
      comment: 'No I/O below the ports',
      from: { path: '^src/(machinery|api)/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(util|buffer|crypto)$' },
    },
    {
      name: 'nothing-imports-cli',
      severity: 'error',
      comment: 'The composition root is on top',
      from: { pathNot: '^src/cli/' },
      to: { path: '^src/cli/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.test\\.ts$' },
  },
};
