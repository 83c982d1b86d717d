/**
 * The live view: one WebSocket for this tab, with a snapshot and then the changes of each topic.
 * After a break every topic is subscribed again, and its snapshot replaces what was missed.
 */
import { api, dataOf } from "./client";
import { session } from "./session";

export interface LiveMessage {
  type: "snapshot" | "event" | "error" | "pong" | "resync";
  topic: string | null;
  pos: number | null;
  event: string | null;
  at: string;
  data: Record<string, unknown> | null;
}
export type LiveStatus = "live" | "reconnecting" | "offline";
export type Handler = (message: LiveMessage) => void;

const PATH = "/api/v1/notifications/ws";
const WATCH_INTERVAL = 5000; // ms
const PING_INTERVAL = 20_000;
const SILENCE_TIMEOUT = 40_000;
const WAKE_TIMEOUT = 1000;
const FIRST_DELAY = 1000; // at most; half of it at least
const MAX_DELAY = 15_000;
const NOT_SIGNED_IN = 4401;

export class Live {
  status: LiveStatus = "reconnecting";
  /** When the data was last known to be current, in ms of this browser's clock. */
  currentAt = Date.now();
  private socket: WebSocket | null = null;
  private wanted = false;
  private failures = 0;
  private lastMessageAt = 0;
  private pingedAt = 0;
  private watching: ReturnType<typeof setInterval> | undefined;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private waking: ReturnType<typeof setTimeout> | undefined;
  private readonly handlers = new Map<string, Set<Handler>>();
  private readonly positions = new Map<string, number>();
  private readonly stale = new Set<string>(); // topics whose snapshot is to come, after a resync
  private readonly listeners = new Set<() => void>();

  constructor() {
    if (typeof window === "undefined") return;
    const retryNow = () => this.check();
    window.addEventListener("online", retryNow);
    window.addEventListener("offline", () => this.drop());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.wake());
  }

  get isStarted(): boolean {
    return this.wanted;
  }

  /** Connect once somebody is signed in. */
  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    void this.connect();
  }

  stop(): void {
    this.wanted = false;
    this.drop();
  }

  /** Receive a topic's messages until the returned function is called. */
  on(topic: string, handler: Handler): () => void {
    const present = this.handlers.get(topic);
    if (present) {
      present.add(handler);
      this.send({ action: "subscribe", topics: [topic] }); // a new snapshot for the new handler
    } else {
      this.handlers.set(topic, new Set([handler]));
      this.send({ action: "subscribe", topics: [topic] });
    }
    return () => this.off(topic, handler);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private off(topic: string, handler: Handler): void {
    const present = this.handlers.get(topic);
    present?.delete(handler);
    if (present?.size === 0) {
      this.handlers.delete(topic);
      this.positions.delete(topic);
      this.stale.delete(topic);
      this.send({ action: "unsubscribe", topics: [topic] });
    }
  }

  private async connect(): Promise<void> {
    clearTimeout(this.waiting);
    if (!this.wanted || this.socket) return;
    if (session.state.status === "expired") return this.retry(); // until its user has signed in again
    let ticket: string;
    try {
      ticket = (await dataOf(api.POST("/api/v1/notifications/ws-ticket"))).ticket;
    } catch {
      return this.retry();
    }
    if (!this.wanted || this.socket) return;
    const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${PATH}`, ["luna.v1", `ticket.${ticket}`]);
    this.socket = socket;
    socket.addEventListener("open", () => this.opened());
    socket.addEventListener("message", (event: MessageEvent<string>) => this.receive(event.data));
    socket.addEventListener("close", (event) => this.closed(socket, event.code));
  }

  private opened(): void {
    this.lastMessageAt = Date.now();
    this.positions.clear();
    this.stale.clear();
    const topics = [...this.handlers.keys()];
    if (topics.length) this.send({ action: "subscribe", topics });
    this.ping();
    this.watching = setInterval(() => this.watch(), WATCH_INTERVAL);
  }

  private receive(text: string): void {
    this.lastMessageAt = Date.now();
    this.failures = 0;
    const message = JSON.parse(text) as LiveMessage;
    if (message.topic && message.type === "resync" && this.handlers.has(message.topic)) this.stale.add(message.topic);
    if (message.topic && message.type === "snapshot") this.stale.delete(message.topic);
    this.setStatus(this.stale.size ? "reconnecting" : "live");
    if (!message.topic || this.isKnown(message.topic, message)) return;
    for (const handler of this.handlers.get(message.topic) ?? []) handler(message);
  }

  /** Whether a change is older than what this tab has; a position has no number and is always new. */
  private isKnown(topic: string, message: LiveMessage): boolean {
    if (message.pos === null) return false;
    if (message.type === "event" && message.pos <= (this.positions.get(topic) ?? -1)) return true;
    this.positions.set(topic, message.pos);
    return false;
  }

  private closed(socket: WebSocket, code: number): void {
    if (this.socket !== socket) return;
    this.socket = null;
    clearInterval(this.watching);
    if (code === NOT_SIGNED_IN) void session.refresh().then(() => this.connect(), () => this.retry());
    else this.retry();
  }

  private retry(): void {
    if (!this.wanted) return;
    this.setStatus(navigator.onLine ? "reconnecting" : "offline");
    const delay = Math.min(MAX_DELAY, FIRST_DELAY * 2 ** this.failures);
    this.failures += 1;
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => void this.connect(), delay * (0.5 + Math.random() / 2));
  }

  /** Send a ping now and then; replace a socket that has been silent for long. */
  private watch(): void {
    if (Date.now() - this.lastMessageAt >= SILENCE_TIMEOUT) {
      this.drop();
      void this.connect();
    } else if (Date.now() - this.pingedAt >= PING_INTERVAL) {
      this.ping();
    }
  }

  private ping(): void {
    this.pingedAt = Date.now();
    this.send({ action: "ping" });
  }

  /** Connect at once, or ask the socket whether it is alive. */
  private check(): void {
    if (!this.wanted) return;
    if (this.socket) return this.ping();
    this.failures = 0;
    void this.connect();
  }

  /** After a sleep a socket may look open and be dead: one that stays silent is replaced at once. */
  private wake(): void {
    this.check();
    const asked = Date.now();
    clearTimeout(this.waking);
    this.waking = setTimeout(() => {
      if (!this.wanted || !this.socket || this.lastMessageAt >= asked) return;
      this.drop();
      void this.connect();
    }, WAKE_TIMEOUT);
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    clearInterval(this.watching);
    clearTimeout(this.waiting);
    socket?.close();
    if (this.wanted) this.setStatus(navigator.onLine ? "reconnecting" : "offline");
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private setStatus(status: LiveStatus): void {
    if (status === "live") this.currentAt = Date.now();
    if (status === this.status) return;
    this.status = status;
    for (const listener of this.listeners) listener();
  }
}

export const live = new Live();
