import type { ApiServer } from "../api/server.ts";
import type { KindSource } from "../controllers/controller.ts";

/** What this server stores and what others do. */
export function kindsOf({ registry, aggregator }: Pick<ApiServer, "registry" | "aggregator">): KindSource {
  return {
    list: () => [...registry.kinds(), ...aggregator.kinds()],
    undiscovered: () => aggregator.undiscovered(),
    onChange: listener => {
      const stops = [registry.onChange(listener), aggregator.onChange(listener)];
      return () => stops.forEach(stop => stop());
    },
  };
}
