import type { AnswerFrame } from "./frames";
import { ChatInterrupted, ChatRefusal } from "./refusal";

const ANSWER_WITHIN_MS = 10_000;

interface Waiting {
  resolve(answer: AnswerFrame): void;
  reject(error: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

/** Pairs requests with their answers by id. */
export class Requests {
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;

  /** A fresh id, and the promise of its answer; a refusal rejects with ChatRefusal. */
  open(): { id: number; answer: Promise<AnswerFrame> } {
    this.lastId += 1;
    const id = this.lastId;
    const answer = new Promise<AnswerFrame>((resolve, reject) => {
      const timer = setTimeout(() => this.take(id)?.reject(new ChatInterrupted()), ANSWER_WITHIN_MS);
      this.waiting.set(id, { resolve, reject, timer });
    });
    return { id, answer };
  }

  /** False when nobody asked for this answer. */
  settle(frame: AnswerFrame): boolean {
    const waiting = frame.id === undefined ? undefined : this.take(frame.id);
    if (!waiting) return false;
    if (frame.t === "refused") waiting.reject(ChatRefusal.from(frame));
    else waiting.resolve(frame);
    return true;
  }

  interrupt(): void {
    for (const id of this.waiting.keys()) this.take(id)?.reject(new ChatInterrupted());
  }

  private take(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    clearTimeout(waiting?.timer);
    return waiting;
  }
}
