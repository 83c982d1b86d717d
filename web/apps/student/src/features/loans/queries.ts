import { api, pageOf, type Schemas } from "@luna/api";
import { useQuery } from "@tanstack/react-query";

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
