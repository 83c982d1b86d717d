import { api, dataOf, pageOf, taggedOf, type Schemas, type Tagged } from "@luna/api";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { PersonRole } from "../../parts/roles";

export type Account = Schemas["ManagedUserRead"];
export type TaggedAccount = Tagged<Account>;
export interface Filter { q?: string; role?: PersonRole; page: number }
const KEY = ["accounts"];

export function useAccounts({ q, role, page }: Filter) {
  return useQuery({
    queryKey: [...KEY, q, role, page],
    placeholderData: keepPreviousData,
    queryFn: () => pageOf(api.GET("/api/v1/auth/users", { params: { query: { q, role, page, limit: 50 } } })),
  });
}

export function useAccount(userId: string | undefined) {
  return useQuery({
    queryKey: ["account", userId],
    enabled: userId !== undefined,
    refetchOnWindowFocus: false, // a form must not change under the hands
    queryFn: () => fetchAccount(userId ?? ""),
  });
}

export function fetchAccount(userId: string): Promise<TaggedAccount> {
  return taggedOf(api.GET("/api/v1/auth/users/{user_id}", { params: { path: { user_id: userId } } }));
}

function useWrite<Input, Output>(mutationFn: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: () => Promise.all([client.invalidateQueries({ queryKey: KEY }), client.invalidateQueries({ queryKey: ["account"] })]),
  });
}

export function useCreateAccount() {
  return useWrite((body: Schemas["UserCreate"]) => dataOf(api.POST("/api/v1/auth/users", { body })));
}

export function useChangeAccount(userId: string) {
  return useWrite(({ body, tag }: { body: Schemas["UserChange"]; tag?: string }) =>
    taggedOf(api.PUT("/api/v1/auth/users/{user_id}", { params: { path: { user_id: userId }, header: { "If-Match": tag } }, body })),
  );
}

export function useEraseAccount(userId: string) {
  return useWrite(() => api.POST("/api/v1/auth/users/{user_id}/erase", { params: { path: { user_id: userId } } }));
}
