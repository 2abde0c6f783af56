/** The shell commands for what the localnet's node takes from no web page. */

/** Return a command that calls a method of the node. */
export function commandOf(rpc: string, method: string, params: readonly unknown[]): string {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  return `curl -s ${rpc} -H 'content-type: application/json' -d '${body}'`;
}
