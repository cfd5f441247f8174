package socket

import (
	"sync"

	"github.com/pealhq/peal/edge/session"
)

// outbox is what waits to be written to one socket: a bounded queue of shared frames, and how it ends. What
// the writer has taken counts until it is written. All methods may be called at the same time, but for take
// and written, which belong to the writer.
type outbox struct {
	maxFrames int
	maxBytes  int

	// wake has something in it when the writer has something to do.
	wake chan struct{}

	mu     sync.Mutex
	frames [][]byte        // guarded by mu
	spare  [][]byte        // guarded by mu; the writer's last batch, emptied, to be filled again
	count  int             // guarded by mu; frames waiting or taken
	bytes  int             // guarded by mu; their bytes
	end    *session.Ending // guarded by mu; set once, and nothing is queued after it
}

func newOutbox(maxFrames, maxBytes int) *outbox {
	return &outbox{maxFrames: maxFrames, maxBytes: maxBytes, wake: make(chan struct{}, 1)}
}

// put queues a frame. It tells whether it did and, if not, whether that was for want of room: when the end is set already
// there is nothing to do. A single frame always has room in an empty outbox, however large it is.
func (o *outbox) put(frame []byte) (queued, full bool) {
	o.mu.Lock()
	if o.end != nil {
		o.mu.Unlock()
		return false, false
	}
	if o.count >= o.maxFrames || o.count > 0 && o.bytes+len(frame) > o.maxBytes {
		o.mu.Unlock()
		return false, true
	}
	o.frames = append(o.frames, frame)
	o.count++
	o.bytes += len(frame)
	o.mu.Unlock()
	o.signal()
	return true, false
}

// finish sets the end, with a last frame that is queued whether there is room or not. With drop, what waits is
// thrown away. Only the first call counts.
func (o *outbox) finish(end *session.Ending, last []byte, drop bool) {
	o.mu.Lock()
	if o.end != nil {
		o.mu.Unlock()
		return
	}
	o.end = end
	if drop {
		clear(o.frames)
		o.frames = o.frames[:0]
	}
	o.frames = append(o.frames, last)
	o.mu.Unlock()
	o.signal()
}

// shut says that the connection is gone: whatever is put or finished from now on is forgotten.
func (o *outbox) shut() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.end == nil {
		o.end = &session.Ending{}
	}
	o.frames, o.spare = nil, nil
}

func (o *outbox) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// take returns all that waits, and the end once it is set: then these are the last frames.
func (o *outbox) take() ([][]byte, *session.Ending) {
	o.mu.Lock()
	defer o.mu.Unlock()
	batch := o.frames
	o.frames, o.spare = o.spare, nil
	return batch, o.end
}

// written makes room for what one frame of a batch took.
func (o *outbox) written(frame []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.count--
	o.bytes -= len(frame)
}

// waiting returns the bytes that are not written yet.
func (o *outbox) waiting() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return int64(o.bytes)
}

// smallBatch is the capacity above which a batch's list is not kept for the next one.
const smallBatch = 256

// reuse gives a batch's list back.
func (o *outbox) reuse(batch [][]byte) {
	if cap(batch) > smallBatch {
		return
	}
	clear(batch)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.spare = batch[:0]
}
