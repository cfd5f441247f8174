package session

import "github.com/pealhq/peal/pusher"

// Ending says with which code a conversation ends, and why in words.
type Ending struct {
	Code pusher.CloseCode
	Text string
}

// EndWith returns the ending with a code's own text.
func EndWith(code pusher.CloseCode) *Ending { return &Ending{code, code.String()} }

// Final tells whether a conversation that is under way must end for this. What is only not known at the moment is
// no reason.
func (e *Ending) Final() bool { return e != nil && e.Code != pusher.CloseOverCapacity }
