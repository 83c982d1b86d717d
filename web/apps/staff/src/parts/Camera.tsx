// Barcodes by camera, where the browser can read them (BarcodeDetector); else the field beside it is used.
import { Icon } from "@luna/ui";
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Dialog } from "./Dialog";

const LOOK_INTERVAL = 200; // ms
const SAME_AGAIN = 3000; // ms in which a barcode that stays in front of the camera counts once
const FORMATS = ["code_128", "code_39", "ean_13", "itf", "qr_code"];

interface Detector { detect: (video: HTMLVideoElement) => Promise<{ rawValue: string }[]> }
type DetectorClass = new (options: { formats: string[] }) => Detector;
const detectorClass = () => (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;

/** A button that opens the camera; nothing where the browser reads no barcodes. */
export function CameraButton({ onScan }: { onScan: (code: string) => void }) {
  const { t } = useTranslation();
  const [opened, dialog] = useDisclosure(false);
  if (!detectorClass() || !navigator.mediaDevices) return null;
  return (
    <>
      <Button variant="default" size="lg" leftSection={<Icon name="scan" />} onClick={dialog.open}>{t("scan.camera")}</Button>
      <Dialog opened={opened} onClose={dialog.close} title={t("scan.camera")}>{opened && <Camera onScan={onScan} />}</Dialog>
    </>
  );
}

function Camera({ onScan }: { onScan: (code: string) => void }) {
  const { t } = useTranslation();
  const video = useRef<HTMLVideoElement>(null);
  const latest = useRef(onScan);
  const [last, setLast] = useState<string | null>(null);
  const [refused, setRefused] = useState(false);
  useEffect(() => {
    latest.current = onScan;
  });
  useEffect(() => {
    const seen = new Map<string, number>();
    const found = (code: string) => {
      if (Date.now() - (seen.get(code) ?? 0) > SAME_AGAIN) {
        setLast(code);
        latest.current(code);
      }
      seen.set(code, Date.now());
    };
    const camera = new OpenCamera(video.current, found);
    camera.open().catch(() => setRefused(true));
    return () => camera.close();
  }, []);
  if (refused) return <p role="alert">{t("scan.refused")}</p>;
  return (
    <>
      <video ref={video} className="camera" autoPlay playsInline muted aria-label={t("scan.aim")} />
      <p role="status">{last ?? t("scan.aim")}</p>
    </>
  );
}

class OpenCamera {
  private stream: MediaStream | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(private readonly video: HTMLVideoElement | null, private readonly found: (code: string) => void) {}

  async open(): Promise<void> {
    const Detector = detectorClass();
    if (!Detector || !this.video) return;
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    this.stream = stream;
    if (this.closed) return this.close(); // while the browser asked
    this.video.srcObject = stream;
    this.look(new Detector({ formats: FORMATS }), this.video);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
  }

  private look(detector: Detector, video: HTMLVideoElement): void {
    this.timer = setTimeout(() => {
      void detector.detect(video).then((codes) => codes.forEach((code) => this.found(code.rawValue)), () => undefined).finally(() => {
        if (!this.closed) this.look(detector, video);
      });
    }, LOOK_INTERVAL);
  }
}
