import { Icon, useTyped } from "@luna/ui";
import { TextInput } from "@mantine/core";
import { useState } from "react";

interface Props { label: string; placeholder?: string; value: string | undefined; onChange: (text: string | undefined) => void }

/** Searches while typing, once per pause. */
export function SearchField({ label, placeholder = label, value = "", onChange }: Props) {
  const [text, type] = useTyped(value, (next) => onChange(next || undefined));
  return (
    <TextInput
      size="sm" type="search" aria-label={label} placeholder={placeholder} leftSection={<Icon name="search" size={16} />}
      value={text} onChange={(event) => type(event.currentTarget.value)}
    />
  );
}

const FIRST_DAY = "2000-01-01"; // while a year is typed it is below

/** A day; one that is typed counts once its year is complete. */
export function DateField({ label, value = "", onChange }: Omit<Props, "placeholder">) {
  const [day, setDay] = useState(value);
  const [seen, setSeen] = useState(value);
  if (value !== seen) {
    setSeen(value);
    setDay(value);
  }
  const change = (next: string) => {
    setDay(next);
    if (!next || next >= FIRST_DAY) onChange(next || undefined);
  };
  return <TextInput size="sm" type="date" min={FIRST_DAY} aria-label={label} value={day} onChange={(event) => change(event.currentTarget.value)} />;
}
