// Runs in a pod: the official JavaScript client with the usual configuration of a pod.
import { CoreV1Api, KubeConfig, makeInformer } from '@kubernetes/client-node';

const config = new KubeConfig();
config.loadFromCluster();
const core = config.makeApiClient(CoreV1Api);
const namespace = config.getContextObject(config.getCurrentContext()).namespace;

const refusal = async call => {
  try {
    await call();
    return 'allowed';
  } catch (error) {
    return JSON.parse(error.body).message;
  }
};

const secret = await core.readNamespacedSecret({ name: 'mine', namespace });
const list = () => core.listNamespacedSecret({ namespace });
const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/secrets`, list);
const updated = new Promise((resolve, reject) => {
  informer.on('update', object => resolve(object.data.word));
  informer.on('error', reject);
});
await informer.start();
await core.replaceNamespacedSecret({
  name: 'mine',
  namespace,
  body: { metadata: secret.metadata, stringData: { word: 'after' } },
});

const answer = {
  namespace,
  word: Buffer.from(secret.data.word, 'base64').toString(),
  seen: Buffer.from(await updated, 'base64').toString(),
  other: await refusal(() => core.readNamespacedSecret({ name: 'x', namespace: 'kube-system' })),
};
await informer.stop();
console.log(JSON.stringify(answer));
process.exit(0);
