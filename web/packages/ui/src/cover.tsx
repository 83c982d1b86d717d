// A cover drawn from the title: images of other hosts are never loaded.
const INKS = [
  ["#1b3a6b", "#f2c14e"], ["#5b2333", "#f7d1ba"], ["#17494d", "#bfe3d0"], ["#3d2c5e", "#e8c7f0"],
  ["#6b3e12", "#ffe0b0"], ["#22442c", "#d8eec4"], ["#2e3440", "#a8c7fa"], ["#7a1f3d", "#ffd6de"],
] as const;

export function Cover({ title, author, width = 56 }: { title: string; author: string | null; width?: number }) {
  const [paper, ink] = INKS[hash(title + (author ?? "")) % INKS.length] ?? INKS[0];
  const lines = wrap(title, 11).slice(0, 5);
  return (
    <svg className="cover" width={width} height={width * 1.5} viewBox="0 0 80 120" aria-hidden="true">
      <rect width="80" height="120" rx="3" fill={paper} />
      <path d="M7 0v120" stroke="#000" strokeOpacity=".25" strokeWidth="1.500" />
      <path d="M14 18h52" stroke={ink} strokeWidth="2" />
      {lines.map((line, index) => (
        <text key={index} x="14" y={34 + index * 12} fontSize="8.500" fontWeight="650" fill="#fff" fontFamily="system-ui, sans-serif">{line}</text>
      ))}
      <text x="14" y="108" fontSize="7" fill={ink} fontFamily="system-ui, sans-serif">{author?.split(" ").at(-1)?.slice(0, 14)}</text>
    </svg>
  );
}

function hash(text: string): number {
  let value = 7;
  for (const letter of text) value = (value * 31 + (letter.codePointAt(0) ?? 0)) >>> 0;
  return value;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [""];
  for (const word of text.split(/\s+/)) {
    const last = lines.length - 1;
    const line = lines[last] ?? "";
    if (line && line.length + word.length + 1 > width) lines.push(word.slice(0, width));
    else lines[last] = line ? `${line} ${word}` : word.slice(0, width);
  }
  return lines;
}
