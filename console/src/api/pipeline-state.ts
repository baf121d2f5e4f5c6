// Where the next incremental read of each block of a pipeline starts.
import { queryOptions, useMutation } from "@tanstack/react-query";
import { answer, client, done } from "./client";
import { queryClient } from "./query-client";
import type { Schemas } from "./types";

export type StateItem = Schemas["StateItem"];

function key(pipeline: string) {
  return ["pipelines", "state", pipeline] as const;
}

export function pipelineStateQuery(pipeline: string) {
  return queryOptions({
    queryKey: key(pipeline),
    queryFn: ({ signal }) =>
      answer(client.GET("/pipelines/{pipeline}/state", { params: { path: { pipeline } }, signal })),
  });
}

/** The block reads what is greater than this the next time. */
export function useSetState(pipeline: string) {
  return useMutation({
    mutationFn: ({ block, value }: { block: string; value: string }) => {
      const params = { path: { pipeline, block } };
      return answer(client.PUT("/pipelines/{pipeline}/state/{block}", { params, body: { value } }));
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: key(pipeline) }),
  });
}

/** The block reads from the beginning the next time. */
export function useForgetState(pipeline: string) {
  return useMutation({
    mutationFn: (block: string) =>
      done(client.DELETE("/pipelines/{pipeline}/state/{block}", { params: { path: { pipeline, block } } })),
    onSettled: () => queryClient.invalidateQueries({ queryKey: key(pipeline) }),
  });
}
