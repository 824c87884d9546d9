/** Asks a running cluster how it is, as kubectl would. */
import { request } from "node:https";
import type { Cluster, Probe } from "../cli/machine.ts";
import { adminAccess } from "./kubeconfig.ts";

const answerMsMax = 3_000;

/** `undefined` when nothing answers. */
export async function probe(cluster: Cluster): Promise<Probe | undefined> {
  const access = await adminAccess({ context: cluster.context, server: "", dataFolder: cluster.dataFolder });
  const get = (path: string): Promise<any> => new Promise((done, fail) => {
    const sent = request({ host: cluster.listen[0], port: cluster.port, path, ca: access.certificateAuthority, cert: access.certificate, key: access.key, servername: "localhost", timeout: answerMsMax, agent: false }, response => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => { text += piece; }).on("error", fail).on("end", () => {
        if (response.statusCode === 200) done(JSON.parse(text));
        else fail(new Error(`${path} answered ${response.statusCode}`));
      });
    });
    sent.on("timeout", () => sent.destroy(new Error(`${path} did not answer within ${answerMsMax} ms`))).on("error", fail).end();
  });
  try {
    const [version, nodes, pods] = await Promise.all([get("/version"), get("/api/v1/nodes"), get("/api/v1/pods")]);
    return {
      version: version.gitVersion,
      nodes: nodes.items.map((node: any) => ({ name: node.metadata.name, ready: node.status?.conditions?.some((condition: any) => condition.type === "Ready" && condition.status === "True") === true })),
      pods: pods.items.length,
      runningPods: pods.items.filter((pod: any) => pod.status?.phase === "Running").length,
    };
  } catch (error) {
    if (process.env["TIMONIER_DEBUG"]) console.error(error);
    return undefined;
  }
}
