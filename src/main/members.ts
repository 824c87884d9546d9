/** Takes a node away for good: its Node object, then what it has on the machine. */
import { request } from "node:https";
import type { Cluster, Member } from "../cli/machine.ts";
import { adminAccess } from "./kubeconfig.ts";
import { clearMember } from "./workloads.ts";

const answerMsMax = 3_000;

/** The API may be down: then the Node object stays until somebody deletes it. */
export async function removeMember(cluster: Cluster, member: Member): Promise<void> {
  await clearMember(cluster, member);
  const access = await adminAccess({ context: cluster.context, server: "", dataFolder: cluster.dataFolder });
  await new Promise<void>((done, fail) => {
    const sent = request({
      method: "DELETE", host: cluster.listen[0], port: cluster.port, path: `/api/v1/nodes/${member.name}`, ca: access.certificateAuthority, cert: access.certificate, key: access.key, servername: "localhost", timeout: answerMsMax, agent: false,
    }, answer => {
      answer.resume();
      if (answer.statusCode === 200 || answer.statusCode === 404) done();
      else fail(new Error(`the node object ${member.name} could not be deleted (status ${answer.statusCode}): run "kubectl delete node ${member.name}"`));
    });
    sent.on("timeout", () => sent.destroy(new Error(`no answer within ${answerMsMax} ms`)))
      .on("error", error => fail(new Error(`the node object ${member.name} could not be deleted (${error.message}): run "kubectl delete node ${member.name}" once the API answers`))).end();
  });
}
