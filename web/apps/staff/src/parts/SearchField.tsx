import { Icon, useSearchAsTyped } from "@luna/ui";
import { TextInput } from "@mantine/core";
import { useState } from "react";

interface Props { label: string; placeholder?: string; value: string | undefined; onChange: (text: string | undefined) => void }

/** Searches while typing, once per pause. */
export function SearchField({ label, placeholder = label, value, onChange }: Props) {
  const [text, setText] = useState(value ?? "");
  const search = useSearchAsTyped((next) => onChange(next || undefined));
  return (
    <TextInput
      size="sm" type="search" aria-label={label} placeholder={placeholder} leftSection={<Icon name="search" size={16} />} value={text}
      onChange={(event) => { setText(event.currentTarget.value); search(event.currentTarget.value); }}
    />
  );
}
