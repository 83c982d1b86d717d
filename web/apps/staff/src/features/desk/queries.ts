import { api, dataOf, pageOf, tagOf, type Schemas } from "@luna/api";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export type Member = Schemas["MemberRead"];
export type Loan = Schemas["LoanRead"];
export type Override = Schemas["OverrideBody"];

export function useMemberSearch(q: string | undefined) {
  return useQuery({
    queryKey: ["members", q, "desk"],
    enabled: q !== undefined,
    placeholderData: keepPreviousData,
    queryFn: async () => (await pageOf(api.GET("/api/v1/auth/members", { params: { query: { q, limit: 8 } } }))).items,
  });
}

export function useMemberLoans(memberId: string) {
  return useQuery({
    queryKey: ["desk-loans", memberId],
    queryFn: async () => {
      const { items } = await pageOf(api.GET("/api/v1/loans", { params: { query: { user_id: memberId, limit: 100 } } }));
      return items.filter((loan) => loan.returned_at === null);
    },
  });
}

function useThenRefetch<Input, Output>(mutationFn: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSettled: () => {
      for (const key of ["desk-loans", "members", "member"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
}

/** Lend a copy; refused reasons that staff set aside are named in `override`. */
export function useCheckOut() {
  return useThenRefetch(async ({ memberId, code, override = null }: { memberId: string; code: string; override?: Override | null }) => {
    const body = { user_id: memberId, copy_barcode: code, dry_run: false, override };
    const { data } = await api.POST("/api/v1/loans", { body });
    return data?.data as Loan; // a preview is answered to a dry run alone
  });
}

export function useCheckIn() {
  return useThenRefetch((code: string) => dataOf(api.POST("/api/v1/loans/check-in", { body: { copy_barcode: code } })));
}

const CHANGES = {
  RENEW: "/api/v1/loans/{loan_id}/renew",
  RETURN: "/api/v1/loans/{loan_id}/return",
  REPORT_LOST: "/api/v1/loans/{loan_id}/lost",
  CLAIM_RETURNED: "/api/v1/loans/{loan_id}/claimed-returned",
  MARK_FOUND: "/api/v1/loans/{loan_id}/found",
} as const;
export type Change = keyof typeof CHANGES;
export const isChange = (name: string): name is Change => name in CHANGES;

export function useChangeLoan(loan: Loan) {
  const params = { path: { loan_id: loan.id }, header: { "If-Match": tagOf(loan) } };
  return useThenRefetch((change: Change) => dataOf(api.PUT(CHANGES[change], { params })));
}
