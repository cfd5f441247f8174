package channels

import (
	"fmt"
	"time"
)

// OnceFor is for how long at least a bus remembers the keys of parcels.
const OnceFor = 10 * time.Minute

// ErrTooManyKeys says that the parcels of an app that are remembered take as much room as they may. To forget one early would
// have a publisher who asks again publish twice without knowing, so parcels with new keys are refused until old ones have
// expired, and nothing was published. It wraps [ErrUnavailable], because asking again later helps.
var ErrTooManyKeys = fmt.Errorf("%w: the app has used too many keys of late", ErrUnavailable)

// Parcel is what is published once, however often it is handed over: all of its messages, or none.
type Parcel struct {
	// Key is what the publisher calls it, among all parcels of its app. One without a key is always published.
	Key string
	// Digest stands for what is in the parcel, so that a key that is used again for something else is noticed.
	Digest string
	// Answer is what the publisher is told. Whoever hands over the same parcel again gets the first one's.
	Answer   []byte
	Messages []Message
}

// Receipt is what became of a [Parcel].
type Receipt struct {
	// Repeated says that the parcel had been published before and was not published again.
	Repeated bool
	Answer   []byte
}

// KeyUsedError says that a key had been used for a parcel with something else in it. Nothing was published.
type KeyUsedError struct {
	// Parcel is which one, from 0.
	Parcel int
}

func (e *KeyUsedError) Error() string {
	return fmt.Sprintf("the key of parcel %d was used for something else", e.Parcel)
}
