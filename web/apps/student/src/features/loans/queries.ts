import { api, dataOf, pageOf, tagOf, type Schemas } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export function useLoans() {
  return useQuery({
    queryKey: ["loans"],
    queryFn: async () => (await pageOf(api.GET("/api/v1/loans", { params: { query: { limit: 100 } } }))).items,
  });
}

/** Returns under way, by the loan they belong to. */
export function useOpenReturns() {
  return useQuery({
    queryKey: ["returns"],
    queryFn: async () => (await pageOf(api.GET("/api/v1/returns", { params: { query: { limit: 100 } } }))).items,
    select: openByLoan,
  });
}

function openByLoan(returns: Schemas["ReturnRead"][]): Map<string, Schemas["ReturnRead"]> {
  return new Map(returns.filter((each) => each.status !== "COMPLETED" && each.status !== "CANCELLED").map((each) => [each.loan_id, each]));
}

export function useSummary() {
  return useQuery({ queryKey: ["loan-summary"], queryFn: () => dataOf(api.GET("/api/v1/loans/summary")) });
}

function useThenRefetch<Input, Output>(mutationFn: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSettled: () => {
      for (const key of ["loans", "loan-summary"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
}

export function useRenew(loan: Schemas["LoanRead"]) {
  const params = { path: { loan_id: loan.id }, header: { "If-Match": tagOf(loan) } };
  return useThenRefetch(() => dataOf(api.PUT("/api/v1/loans/{loan_id}/renew", { params })));
}

/** Renew what can be; the answer says for each loan whether it was, and why not. */
export function useRenewAll() {
  return useThenRefetch(async () => (await dataOf(api.PUT("/api/v1/loans/renew-all"))).results);
}
