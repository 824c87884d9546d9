import type { Clock } from "../base/clock.ts";
import type { Transport, TransportRequest, TransportResponse, TransportStream } from "./transport.ts";

/** Hears of every request when its answer is there, of a stream's when its headers are; `<error>`: there was none. */
export type Asked = (method: string, host: string, code: number | "<error>", ms: number) => void;

/** A transport whose requests are counted (client-go: rest_client_requests_total). `host` is `name:port`. */
export function countedTransport(transport: Transport, host: string, clock: Clock, asked: Asked): Transport {
  const counted = async <T extends { readonly status: number }>({ method }: TransportRequest, answer: Promise<T>): Promise<T> => {
    const began = clock.monotonic();
    let code: number | "<error>" = "<error>";
    try {
      const arrived = await answer;
      code = arrived.status;
      return arrived;
    } finally {
      asked(method, host, code, clock.monotonic() - began);
    }
  };
  return {
    request: (request, signal): Promise<TransportResponse> => counted(request, transport.request(request, signal)),
    stream: (request, signal): Promise<TransportStream> => counted(request, transport.stream(request, signal)),
  };
}
