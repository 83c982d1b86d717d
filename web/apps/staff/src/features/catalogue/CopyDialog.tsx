import type { Schemas } from "@luna/api";
import { inWords } from "@luna/i18n";
import { Loaded, Refusal, useToast } from "@luna/ui";
import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Dialog } from "../../parts/Dialog";
import { useScanned, useShelve } from "./queries";

type Scanned = Schemas["ScannedCopy"];

/** What a scan of this copy would show: where it is, who has it, what may be done and why not. */
export function CopyDialog({ barcode, onClose }: { barcode: string | null; onClose: () => void }) {
  const scanned = useScanned(barcode);
  return (
    <Dialog opened={barcode !== null} onClose={onClose} title={barcode ?? ""}>
      <Loaded query={scanned}>{(found) => <Copy found={found} />}</Loaded>
    </Dialog>
  );
}

function Copy({ found }: { found: Scanned }) {
  const { t } = useTranslation();
  const toast = useToast();
  const shelve = useShelve(found.copy);
  const facts = [
    [t("copy.custody"), t(`custody.${found.copy.custody}`)],
    [t("copy.condition"), t(`condition.${found.copy.condition}`)],
    [t("copy.place"), found.place],
    [t("copy.member"), found.member?.name],
    [t("copy.kept"), found.kept_for?.member_name],
  ].filter(([, value]) => value);
  return (
    <>
      <dl className="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      <ul className="plain rows">
        {found.actions.map(({ name, allowed, reasons }) =>
          name === "SHELVE" && allowed ? (
            <li key={name}><Button loading={shelve.isPending} onClick={() => shelve.mutate(undefined, { onSuccess: () => toast(t("copy.shelved")) })}>{t("action.SHELVE")}</Button></li>
          ) : (
            STAFF_ACTIONS.has(name) && <li key={name} className={allowed ? undefined : "dim"}><strong>{t(`action.${name as StaffAction}`)}</strong> {reasons.map((reason) => inWords(reason.message, reason.code)).join(" ")}</li>
          ),
        )}
      </ul>
      <Refusal error={shelve.error} />
    </>
  );
}

type StaffAction = "CHECK_OUT" | "CHECK_IN" | "SHELVE" | "WITHDRAW";
const STAFF_ACTIONS = new Set<string>(["CHECK_OUT", "CHECK_IN", "SHELVE", "WITHDRAW"] satisfies StaffAction[]);
