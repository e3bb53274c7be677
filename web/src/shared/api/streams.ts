import { call } from "./call";
import type { ServiceConfig, Stream, StreamStats, StreamWithKey } from "./types";

export async function liveStreams(signal?: AbortSignal): Promise<Stream[]> {
  return (await call<{ streams: Stream[] }>("/api/streams", { signal })).streams;
}

export function streamById(streamId: string, signal?: AbortSignal): Promise<Stream> {
  return call<Stream>(`/api/streams/${encodeURIComponent(streamId)}`, { signal });
}

export async function myStreams(signal?: AbortSignal): Promise<Stream[]> {
  return (await call<{ streams: Stream[] }>("/api/me/streams", { signal })).streams;
}

export function createStream(title: string): Promise<StreamWithKey> {
  return call<StreamWithKey>("/api/me/streams", { method: "POST", body: { title } });
}

export function renameStream(streamId: string, title: string): Promise<Stream> {
  return call<Stream>(`/api/me/streams/${streamId}`, { method: "PATCH", body: { title } });
}

export function resetStreamKey(streamId: string): Promise<StreamWithKey> {
  return call<StreamWithKey>(`/api/me/streams/${streamId}/key`, { method: "POST" });
}

export function stopMyStream(streamId: string): Promise<void> {
  return call<void>(`/api/me/streams/${streamId}/stop`, { method: "POST" });
}

export function streamStats(streamId: string, signal?: AbortSignal): Promise<StreamStats> {
  return call<StreamStats>(`/api/me/streams/${streamId}/stats`, { signal });
}

let config: Promise<ServiceConfig> | null = null;

/** Asked for once a page; asked again after a failure. */
export function serviceConfig(): Promise<ServiceConfig> {
  config ??= call<ServiceConfig>("/api/config").catch((error: unknown) => {
    config = null;
    throw error;
  });
  return config;
}
