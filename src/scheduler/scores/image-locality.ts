import { type Score, pointsMax } from "../framework.ts";

const megabyte = 1024 * 1024;
/** Below the one an image is quick to pull; above the other more does not count (imagelocality/image_locality.go). */
const bytesMin = 23 * megabyte, containerBytesMax = 1000 * megabyte;

/** Nodes that have the pod's images already, the more so the more nodes have them, lest one node gets all. */
export const imageLocality: Score = {
  name: "ImageLocality",
  weight: 1,
  prepare: ({ pod }, nodes, cluster) => {
    const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ image }) => tagged(image ?? ""));
    const images = [...containers, ...(pod.spec.volumes ?? []).flatMap(({ image }) => (image === undefined ? [] : [tagged(image.reference ?? "")]))];
    const spread = images.map(image => (cluster.imageNodes.get(image) ?? 0) / cluster.nodes.length);
    if (!spread.some(part => part > 0)) return undefined;
    const bytesMax = containerBytesMax * containers.length;
    return points => {
      for (let i = 0; i < nodes.length; i++) {
        let bytes = 0;
        for (let j = 0; j < images.length; j++) bytes += Math.floor((nodes[i]!.images.get(images[j]!) ?? 0) * spread[j]!);
        points[i] = Math.floor((pointsMax * (Math.min(Math.max(bytes, bytesMin), bytesMax) - bytesMin)) / (bytesMax - bytesMin));
      }
    };
  },
};

function tagged(image: string): string {
  return image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image;
}
