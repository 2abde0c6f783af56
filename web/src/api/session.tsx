/** Who is signed in and what they may do, as the desk says it; and signing out. */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect } from "react";
import { live } from "../live/store";
import { queryClient } from "./cache";
import { ApiError, api, type Schema } from "./client";

export { setProver, withProof } from "./proof";

type Me = Schema<"MeView">;

const ME = ["me"] as const;

/** Read who this is; null is nobody. */
export async function readMe(signal?: AbortSignal): Promise<Me | null> {
  try {
    return await api.get<Me>("/api/me", signal ? { signal } : {});
  } catch (problem) {
    if (problem instanceof ApiError && problem.status === 401) return null;
    throw problem;
  }
}

/** Return who is signed in; `me` is null while that is not known and when nobody is. */
export function useMe(): {
  me: Me | null;
  loading: boolean;
  error: ApiError | null;
  refresh(): Promise<void>;
} {
  const found = useQuery<Me | null, ApiError>({
    queryKey: ME,
    queryFn: ({ signal }) => readMe(signal),
    staleTime: 60_000,
  });
  const refresh = useCallback(async () => {
    await queryClient.invalidateQueries({ queryKey: ME });
  }, []);
  return { me: found.data ?? null, loading: found.isPending, error: found.error, refresh };
}

/** Return whether whoever is signed in has a permission such as `orders:write`. */
export function useCan(): (permission: string) => boolean {
  const { me } = useMe();
  return useCallback((permission: string) => me?.permissions.includes(permission) ?? false, [me]);
}

/** End this session; the page then knows nobody, and nothing of whom it knew. */
export async function signOut(): Promise<void> {
  try {
    await api.post("/api/auth/logout");
  } catch (problem) {
    if (!(problem instanceof ApiError) || problem.status !== 401) throw problem;
  }
  forget();
}

/** Drop everything that is known of the account, after signing out or before another one. */
export function forget(): void {
  live.stop();
  queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== "me" });
  queryClient.setQueryData(ME, null);
}

/** Come back if this is still somebody; the link itself waits longer each time in vain. */
function resume(): void {
  if (queryClient.getQueryData<Me | null>(ME)) live.start();
}

/** Keep the live link for as long as somebody is signed in; once, in the frame of the page. */
export function useLiveLink(): void {
  const { me, refresh } = useMe();
  const who = me?.user.userId ?? null;
  useEffect(() => {
    if (who === null) return undefined;
    live.start();
    const ends = [
      live.onReconnect(() => void queryClient.invalidateQueries()),
      live.link.subscribe(() => {
        // Sent away: signed out elsewhere, or another role. Who am I now?
        if (live.link.get().phase === "signed-out") void refresh().then(resume);
      }),
    ];
    return () => {
      for (const end of ends) end();
      live.stop();
    };
  }, [who, refresh]);
}
