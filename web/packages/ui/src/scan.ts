// A hand scanner types its barcode within milliseconds and ends with Enter, wherever the focus is.
import { useEffect, useRef } from "react";

const MAX_PAUSE = 100; // ms between two keys of a scanner, also by radio on a busy device; people type slower
const MIN_LENGTH = 4;

/** Call `scanned` with each barcode; keys that people type reach the page as usual. */
export function useScanner(scanned: (code: string) => void): void {
  const latest = useRef(scanned);
  useEffect(() => {
    latest.current = scanned;
  });
  useEffect(() => {
    const reader = new ScanReader((code) => latest.current(code));
    const listen = (event: KeyboardEvent) => {
      if (reader.key(event.key, event.timeStamp, event)) event.preventDefault();
    };
    window.addEventListener("keydown", listen, { capture: true });
    return () => window.removeEventListener("keydown", listen, { capture: true });
  }, []);
}

export class ScanReader {
  private text = "";
  private lastAt = 0;

  constructor(private readonly found: (code: string) => void) {}

  /** Take a key; return whether it was the Enter of a scan, which must not press a button. */
  key(key: string, at: number, { ctrlKey = false, metaKey = false, altKey = false } = {}): boolean {
    if (ctrlKey || metaKey || altKey) return false;
    if (at - this.lastAt > MAX_PAUSE) this.text = "";
    this.lastAt = at;
    if (key.length === 1) {
      this.text += key;
      return false;
    }
    if (key !== "Enter" || this.text.trim().length < MIN_LENGTH) return false;
    const code = cleaned(this.text);
    this.text = "";
    this.found(code);
    return true;
  }
}

/** Barcodes without the spaces that scanners add, in capitals. */
export function cleaned(code: string): string {
  return code.replace(/\s+/g, "").toUpperCase();
}

let audio: AudioContext | null = null;

/** A short tone: high for a success, low and longer for a refusal. */
export function beep(success: boolean): void {
  if (localStorage.getItem("luna.muted") === "1" || typeof AudioContext === "undefined") return;
  audio ??= new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = success ? 1200 : 220;
  volume.gain.value = 0.08;
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + (success ? 0.08 : 0.35));
  if (!success) navigator.vibrate?.(200);
}
