/**
 * HTTP as the client sees it, carried out by `host/http-client.ts`. One transport is one server and one identity: TLS trust, client
 * certificate or token are its own. Redirects are never followed.
 */
export interface Transport {
  /** One request, one whole answer, whatever its status. Rejects with an `Error` when no whole answer came: the outcome is then unknown. */
  request(request: TransportRequest, signal?: AbortSignal): Promise<TransportResponse>;
  /**
   * A long answer made of lines, such as a watch. Resolves when the headers are in; `lines` then gives each line (without its line
   * break) as it arrives, returns when the server ends the answer properly, throws when the connection breaks or a line is longer
   * than the transport's limit. Leaving the loop or aborting `signal` closes the stream. For a status other than 200 `lines` is the body.
   */
  stream(request: TransportRequest, signal: AbortSignal): Promise<TransportStream>;
}

export type TransportRequest = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query, ready to send. */
  readonly target: string;
  /** Lower-case names; the transport adds authority, authorization, user-agent and content-length. */
  readonly headers: { readonly [name: string]: string };
  readonly body?: string;
};
export type TransportResponse = { readonly status: number; readonly headers: { readonly [name: string]: string | undefined }; readonly body: string };
export type TransportStream = { readonly status: number; readonly headers: { readonly [name: string]: string | undefined }; readonly lines: AsyncIterable<string> };
