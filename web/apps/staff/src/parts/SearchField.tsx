import { Icon } from "@luna/ui";
import { TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";

const TYPING_PAUSE = 250; // ms

interface Props { label: string; placeholder?: string; value: string | undefined; onChange: (text: string | undefined) => void }

/** Searches while typing, once per pause. */
export function SearchField({ label, placeholder = label, value, onChange }: Props) {
  const [text, setText] = useState(value ?? "");
  const search = useDebouncedCallback((next: string) => onChange(next.trim() || undefined), TYPING_PAUSE);
  return (
    <TextInput
      size="sm" type="search" aria-label={label} placeholder={placeholder} leftSection={<Icon name="search" size={16} />} value={text}
      onChange={(event) => { setText(event.currentTarget.value); search(event.currentTarget.value); }}
    />
  );
}
