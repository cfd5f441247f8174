package publish

import (
	"errors"
	"fmt"

	"github.com/pealhq/peal/tenants/limits"
)

// The ways in which a publish can fail. Each door maps them to its own codes.
var (
	// ErrInvalid says that an event breaks a rule. It comes as an [EventError].
	ErrInvalid = errors.New("invalid event")
	// ErrTooLarge says that an event's data is over the app's limit. It comes as an [EventError].
	ErrTooLarge = errors.New("event too large")
	// ErrUnavailable says that the bus cannot take the events now. Some may have been delivered all the same.
	ErrUnavailable = errors.New("publishing is unavailable")
	// ErrTooManyKeys says that the keys of an app's parcels take all the room that they may. Nothing of that publish was
	// sent. Its text is shown as it is.
	ErrTooManyKeys = errors.New("the keys of the last ten minutes take all the room that an app has for them; try again later, or publish without one")
)

// EventError says which event of a publish was refused and why. Nothing of that publish was sent.
type EventError struct {
	// Event is the event's place in the publish, from 0.
	Event int
	// Field names the part that is wrong: name, channels, data, socket_id, id or user_id, and "batch" when there are
	// too many events or none.
	Field string
	// Reason tells a person what is wrong. It is shown as it is.
	Reason string
	// Kind is [ErrInvalid] or [ErrTooLarge].
	Kind error
}

func (e *EventError) Error() string {
	return fmt.Sprintf("event %d: %s: %s", e.Event, e.Field, e.Reason)
}

func (e *EventError) Unwrap() error { return e.Kind }

func invalid(field, reason string) error {
	return &EventError{Field: field, Reason: reason, Kind: ErrInvalid}
}

// LimitError says that an app has published more than it may in a second. Nothing of that publish was sent.
type LimitError struct {
	limits.Admission
	// Together says that it is a bound of all apps of the account.
	Together bool
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s published the %d messages that %s may in a second", who(e.Together), e.Limit, it(e.Together))
}

// QuotaError says that an app has published what it may in a day. Nothing of that publish was sent.
type QuotaError struct{ *limits.QuotaError }

func (e QuotaError) Error() string {
	together := e.Owner == e.Tenant.String()
	return fmt.Sprintf("%s published the %d messages that %s may in a day; the next day begins at midnight UTC", who(together), e.PerDay, it(together))
}

func who(together bool) string {
	if together {
		return "the apps of this account have"
	}
	return "the app has"
}

func it(together bool) string {
	if together {
		return "they"
	}
	return "it"
}

// KeyUsedError says that the key of a [Parcel] stands for something else already. Nothing of that publish was sent.
type KeyUsedError struct {
	// Event is the place of the parcel's first event in the publish, from 0.
	Event int
	Key   string
}

// Error tells a person what to do. It is shown as it is.
func (e *KeyUsedError) Error() string {
	return fmt.Sprintf("the key %q stands for another publish: repeat that one as it was, or send this one under a new key", e.Key)
}

// tooManyEver says that a publish makes more messages than may be published in any second: asking again does not help.
func tooManyEver(e *LimitError, messages, events int) error {
	field := "channels"
	if events > 1 {
		field = "batch"
	}
	whose := "the app"
	if e.Together {
		whose = "all apps of this account together"
	}
	return invalid(field, fmt.Sprintf("this makes %d messages, one for each channel of each event, and %s may publish %d in a second", messages, whose, e.Limit))
}

// KeysRetryAfter is when to come again after [ErrTooManyKeys], in seconds: those that take the room are forgotten over minutes.
const KeysRetryAfter = "60"
