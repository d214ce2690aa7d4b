package dev.distillery.dataingest.source.web;

import java.io.IOException;
import java.io.InterruptedIOException;

/**
 * The memory of pictures that are downloaded ahead of their turn. Beyond the bound only the one whose turn it is gets more, so
 * that the row moves; the others are put back and begin again when there is room.
 */
final class ReadAhead {
    private final long most;
    private long used;
    private Share first;

    /** @param most bytes, beside those of the first */
    ReadAhead(long most) {
        this.most = most;
    }

    /** There is no room, which is no failure of the web's. */
    static final class NoRoomException extends IOException {
        private static final long serialVersionUID = 1L;
    }

    /** What one picture has. */
    final class Share implements WebPictures.Memory {
        private long bytes;

        @Override
        public void take(int n) throws NoRoomException {
            synchronized (ReadAhead.this) {
                if (used + n > most && this != first) {
                    throw new NoRoomException();
                }
                used += n;
                bytes += n;
            }
        }

        @Override
        public void release() {
            synchronized (ReadAhead.this) {
                used -= bytes;
                bytes = 0;
                ReadAhead.this.notifyAll();
            }
        }

        /** Until half is free, lest it is put back again at once, or it is this one's turn. */
        void awaitRoom() throws InterruptedIOException {
            synchronized (ReadAhead.this) {
                try {
                    while (used > most / 2 && this != first) {
                        ReadAhead.this.wait();
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new InterruptedIOException("interrupted");
                }
            }
        }

        /** It is this one's turn. */
        void isFirst() {
            synchronized (ReadAhead.this) {
                first = this;
                ReadAhead.this.notifyAll();
            }
        }
    }
}
