/** A loop that can be asked to look at all of its objects again. */
export interface CheckedQueue {
  checkAll(): void;
  close(): Promise<void>;
}
