import { Cluster } from 'ioredis';

type Command = Parameters<Cluster['sendCommand']>[0];

/**
 * A Cluster that refuses commands while the cluster as a whole is not connected. ioredis has one switch for two queues:
 * the client's, which has no time limit, and that of each node, without which all commands but the first fail while the
 * connection to a node is made.
 */
export class FailFastCluster extends Cluster {
  override sendCommand(command: Command, ...rest: unknown[]): unknown {
    // By CLUSTER INFO the client finds out whether it is ready.
    if (this.status === 'ready' || command.name === 'cluster') return super.sendCommand(command, ...(rest as []));
    command.reject(new Error('The Redis Cluster is not connected.'));
    return command.promise;
  }
}
